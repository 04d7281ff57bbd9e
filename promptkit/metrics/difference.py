"""A difference in accuracy between two entries, whichever design it was measured in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from promptkit.metrics.student import Student

#: What an interval or a test speaks about beyond the numbers it was computed from: other rows, with
#: the fitted models as they are; other rows and other draws of the training rows; or both of them
#: as cross-validation shows them.
Over = Literal["rows", "rows and draws", "folds"]


@dataclass(frozen=True)
class Difference:
    """Accuracy of a first entry minus that of a second, and how far it is to be believed.

    Args:
        mean: The mean difference, between -1 and 1.
        error: Its standard error; None for a single fold, which has none.
        df: Degrees of freedom of the t distribution that goes with it; 0 for a single fold.
        p_value: Two-sided, of the hypothesis that the true difference is 0; 1 for a single fold.
        low: Lower end of the 95% interval, not below -1; None for a single fold.
        high: Its upper end, not above 1.
        test: Name of the test that gave the p-value.
        over: What else the result speaks for, see `Over`.
    """

    mean: float
    error: float | None
    df: float
    p_value: float
    low: float | None
    high: float | None
    test: str
    over: Over

    @property
    def belief(self) -> Student | None:
        """Posterior of the true difference under a flat prior; None for a single fold."""
        return None if self.error is None else Student(self.mean, self.error, self.df)

    @property
    def t(self) -> float | None:
        """The mean in standard errors; None for a single fold."""
        return None if self.error is None else self.mean / self.error

    def probability_above(self, rope: float = 0.0) -> float | None:
        """P(true difference > rope); ``rope`` is half the region of practical equivalence."""
        return None if self.belief is None else self.belief.above(rope)

    def expected_loss(self) -> float | None:
        """``E[max(0, true difference)]``: accuracy lost, on average, by taking the second entry.

        None where t has no mean: for two folds, or for two draws that differ greatly.
        """
        return None if self.belief is None else self.belief.expected_gain()


def difference_of(
    belief: Student, *, test: str, over: Over, p_value: float | None = None
) -> Difference:
    """A difference from what is believed about it; its p-value is the belief's if none is given."""
    low, high = belief.interval()
    p_value = belief.p_value() if p_value is None else p_value
    return Difference(
        belief.mean, belief.scale, belief.df, p_value, max(low, -1.0), min(high, 1.0), test, over
    )
