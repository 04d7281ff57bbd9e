"""A belief about one number: Student's t distribution with a place, a scale and a breadth.

Both designs of a comparison end in one: cross-validation through the corrected resampled t-test,
a fixed test set through the variance over rows and draws. Read as a test it gives a p-value and an
interval; read as a posterior under a flat prior (the two coincide here) it gives the probability
of a difference and what a wrong choice costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, isfinite, lgamma, log, log1p, pi, sqrt


@dataclass(frozen=True)
class Student:
    """Where a number is believed to lie.

    scipy is loaded by the methods, not by the module: ``promptkit --help`` has no use for it.

    Args:
        mean: The centre.
        scale: The standard error; 0 is certainty.
        df: Degrees of freedom, above 0; infinity makes it a normal distribution.

    Raises:
        ValueError: The scale is negative, df is not above 0, or one of them is not a number.
    """

    mean: float
    scale: float
    df: float

    def __post_init__(self) -> None:
        if not (isfinite(self.mean) and 0 <= self.scale < inf and self.df > 0):
            raise ValueError(f"no t distribution has {self.mean=}, {self.scale=}, {self.df=}")

    def above(self, x: float) -> float:
        """Probability that the number is larger than x."""
        if self.scale == 0:
            return float(self.mean > x)
        return _cdf((self.mean - x) / self.scale, self.df)

    def p_value(self, x: float = 0.0) -> float:
        """Two-sided p-value of the number being x; 1 where mean and x are the same."""
        if self.mean == x:
            return 1.0
        return 0.0 if self.scale == 0 else 2 * _cdf(-abs(self.mean - x) / self.scale, self.df)

    def interval(self, mass: float = 0.95) -> tuple[float, float]:
        """The central interval that holds this much probability."""
        reach = quantile(0.5 + mass / 2, self.df) * self.scale
        return self.mean - reach, self.mean + reach

    def expected_gain(self) -> float | None:
        """``E[min(max(0, x), 1)]``: what is to be gained, on average, where x is an advantage.

        For a difference "the other minus the chosen one" it is the expected loss of the choice.
        In closed form, as the difference of two expected excesses. Gains end at 1, since no
        difference of shares is larger: with two or three folds the tails of t are so heavy that
        the uncut mean would mostly tell of differences that cannot be.

        Returns:
            Between 0 and 1, or None for df of 1 and below, where t has no mean.
        """
        if self.scale == 0:
            return min(max(self.mean, 0.0), 1.0)
        if self.df <= 1:
            return None
        gain = self._excess(0.0) - self._excess(1.0)
        return min(max(gain, 0.0), 1.0)

    def _excess(self, a: float) -> float:
        """``E[max(0, x - a)]``; for z standard t, the integral of z f(z) is -(df + z²)/(df-1) f."""
        z = (self.mean - a) / self.scale
        widening = 1.0 if self.df == inf else (self.df + z * z) / (self.df - 1)
        return self.scale * (z * _cdf(z, self.df) + widening * _density(z, self.df))


def quantile(share: float, df: float) -> float:
    """The number below which this share of the standard t distribution lies."""
    from scipy.special import ndtri, stdtrit

    return float(ndtri(share) if df == inf else stdtrit(df, share))


def _cdf(z: float, df: float) -> float:
    from scipy.special import ndtr, stdtr

    return float(ndtr(z) if df == inf else stdtr(df, z))


def _density(z: float, df: float) -> float:
    if df == inf:
        return exp(-z * z / 2) / sqrt(2 * pi)
    ways = lgamma((df + 1) / 2) - lgamma(df / 2) - log(df * pi) / 2
    return exp(ways - (df + 1) / 2 * log1p(z * z / df))
