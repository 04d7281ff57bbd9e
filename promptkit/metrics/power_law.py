"""Learning curves: accuracy over numbers of labelled rows as an inverse power law, with a band.

Errors of many learners fall as a power of the number of examples towards a level that no number of
them gets below (Cortes et al. 1993; Hestness et al. 2017)::

    accuracy(n) = a - b * (n + d) ** -c        with b, d >= 0, c > 0 and a <= 1

What a pre-trained model and statements about the labels know beforehand is worth d rows: such a
curve is flat at first, and rises later than one that begins with nothing (the shifted law fits
learning curves best; Viering & Loog 2023). A handful of sizes does not fix four numbers, and least
squares then finds absurd ones. So all curves are weighed that the points allow: a posterior over a
grid of c, d and what is left to gain, with the level integrated out. Where the points say little,
the band is wide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from promptkit.metrics.rows import Floats

#: What the band covers.
LEVEL = 0.9
#: Powers that are weighed, and the log-normal belief in them before any point was seen: the
#: published ones lie between 0.1 and 1.
POWERS = np.geomspace(0.05, 3.0, 30)
USUAL_POWER, POWER_SPREAD = 0.5, 0.7
#: What is known beforehand, as a share of the largest size: each is believed as much.
BEFORE = np.array([0.0, 0.1, 0.3, 1.0, 3.0])
#: By how much a curve may miss the law for each doubling between a size and the largest one: with a
#: handful of rows learners behave by other laws.
MISFIT = 0.006
_LEFT = 50
_DRAWS = 4000


@dataclass(frozen=True)
class Forecast:
    """What is expected, with the band that holds it with probability `LEVEL`.

    Args:
        mean: Expected value.
        low: Lower end.
        high: Upper end.
    """

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """A learning curve as draws from what the points allow.

    Args:
        n: The largest size, by which the others are measured.
        level: (m,) accuracy there.
        left: (m,) accuracy that is left to gain, ``a - level``.
        power: (m,) c.
        before: (m,) d, in rows.
        noise: Standard deviation of the accuracy of one fit around the curve, at the largest size.
        seed: Of the noise.
    """

    n: float
    level: Floats
    left: Floats
    power: Floats
    before: Floats
    noise: float
    seed: int

    def at(self, n: float) -> Forecast:
        """The mean accuracy of fits on n rows."""
        return _forecast(self._at(n))

    def ceiling(self) -> Forecast:
        """The accuracy that no number of rows gets above."""
        return _forecast(self.level + self.left)

    def gain(self, start: float, end: float) -> Forecast:
        """What one who has ``start`` rows gains with ``end``, luck of both fits included."""
        return _forecast(self._gains(start, end))

    def chance(self, start: float, end: float, gain: float) -> float:
        """Probability that the curve rises by at least so much from ``start`` rows to ``end``."""
        return float(np.mean(self._at(end) - self._at(start) >= gain))

    def rows_for(self, start: float, gain: float, most: float = 64.0) -> float | None:
        """Rows at which the expected accuracy is so much above that with ``start`` rows.

        None where ``most`` times as many are not enough.
        """
        for end in start * np.geomspace(1.05, most, 160):
            if float(np.mean(self._at(end) - self._at(start))) >= gain:
                return float(end)
        return None

    def _at(self, n: float) -> Floats:
        ratio = (n + self.before) / (self.n + self.before)
        return np.asarray(self.level + self.left * (1.0 - ratio**-self.power))

    def _gains(self, start: float, end: float) -> Floats:
        rng = np.random.default_rng([self.seed, 7])
        # a fit on more rows varies less, about as the root of their number
        spread = self.noise * np.sqrt(self.n / start + self.n / end)
        luck = spread * rng.standard_normal(len(self.level))
        return np.asarray(self._at(end) - self._at(start) + luck)


def fit_curve(
    sizes: ArrayLike,
    accuracies: ArrayLike,
    covariance: ArrayLike,
    *,
    noise: float = 0.0,
    seed: int = 0,
) -> Curve:
    """Weigh all curves by the points.

    Args:
        sizes: (s,) numbers of labelled rows, rising, two or more.
        accuracies: (s,) mean accuracies.
        covariance: (s, s) of their errors.
        noise: See `Curve`.
        seed: Seed of the draws.

    Raises:
        ValueError: Shapes do not fit, sizes do not rise, or there is only one.
    """
    n, y = np.asarray(sizes, np.float64), np.asarray(accuracies, np.float64)
    errors = np.asarray(covariance, np.float64)
    if n.ndim != 1 or len(n) < 2 or y.shape != n.shape or errors.shape != (len(n), len(n)):
        raise ValueError("a curve needs two sizes or more, an accuracy each and their covariance")
    if not (np.all(np.diff(n) > 0) and n[0] > 0):
        raise ValueError("sizes must be above 0 and rise")
    errors = errors + np.diag((MISFIT * np.log2(n[-1] / n)) ** 2 + 1e-6)
    precision = np.linalg.inv(errors)
    shares = (np.arange(_LEFT) + 0.5) / _LEFT
    power, share, before = (
        grid.ravel() for grid in np.meshgrid(POWERS, shares, BEFORE * n[-1], indexing="ij")
    )
    left = share * max(1.0 - y[-1], 0.01)
    ratio = (n[None, :] + before[:, None]) / (n[-1] + before[:, None])
    shape = left[:, None] * (1.0 - ratio ** -power[:, None])
    rest = y[None, :] - shape  # what the level at the largest size would be by each point
    total = precision.sum()
    level = rest @ precision.sum(axis=0) / total
    off = rest - level[:, None]
    log_weight = -0.5 * np.einsum("ms,st,mt->m", off, precision, off)
    log_weight -= 0.5 * (np.log(power / USUAL_POWER) / POWER_SPREAD) ** 2
    weight = np.exp(log_weight - log_weight.max())
    rng = np.random.default_rng([seed, 5])
    drawn = rng.choice(len(weight), _DRAWS, p=weight / weight.sum())
    levels = level[drawn] + rng.standard_normal(_DRAWS) / np.sqrt(total)
    # nothing is right more often than always
    lefts = np.minimum(left[drawn], np.maximum(1.0 - levels, 0.0))
    return Curve(float(n[-1]), levels, lefts, power[drawn], before[drawn], noise, seed)


def _forecast(values: Floats) -> Forecast:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Forecast(float(values.mean()), float(low), float(high))
