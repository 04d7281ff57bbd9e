"""A rating: the mean of what a strategy believes of each of its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from promptkit.errors import DataError
from promptkit.protocols import NO_CONTEXT, FitContext, Strategy
from promptkit.types import Cost, Evidence, Example, Prediction, Scalar


class Rated:
    """Kind ``rate``: a strategy over numbers as labels, and their expected value as its answer.

    The mean is what squares of errors are least around; two neighbouring numbers that are as likely
    give what lies between them, where the likelier one of them would be a coin's toss.

    Args:
        inner: A strategy whose labels are the numbers.
        labels: The numbers, from the lowest to the highest.
    """

    def __init__(self, inner: Strategy, labels: Sequence[Scalar]) -> None:
        self.inner, self.labels = inner, labels

    @property
    def cost(self) -> Cost:
        """What the strategy has done so far."""
        return self.inner.cost

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Fit the strategy; a gold number between two labels counts as the nearer one."""
        self.inner.fit([replace(row, label=self._nearest(row)) for row in train], context)
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """The strategy's own evidence."""
        return self.inner.gather(examples)

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """The expected number of each row; a bare decision stays what it is."""
        return [self._mean(one) for one in self.inner.conclude(examples, evidence)]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Both in one."""
        return self.conclude(examples, self.gather(examples))

    def describe(self) -> Mapping[str, Any]:
        """The strategy's own, and that its mean is taken."""
        return {**self.inner.describe(), "answer": "mean"}

    def card_facts(self) -> dict[str, Any]:
        """What the strategy tells of its fit."""
        facts: dict[str, Any] = getattr(self.inner, "card_facts", dict)()
        return facts

    def save(self, folder: Path) -> None:
        """As the strategy does."""
        self.inner.save(folder)

    def restore(self, folder: Path) -> Self:
        """As the strategy does."""
        self.inner.restore(folder)
        return self

    def _nearest(self, row: Example) -> Scalar | None:
        if row.label is None:
            return None
        number = number_of(row)
        return min(self.labels, key=lambda label: abs(float(label) - number))

    def _mean(self, found: Prediction) -> Prediction:
        if found.label is None or isinstance(found.label, tuple):
            return found
        if found.log_p is None:
            return replace(found, label=float(found.label))
        shares = np.exp(np.array(found.log_p, np.float64))
        mean = float(shares @ np.array(self.labels, np.float64) / shares.sum())
        return replace(found, label=mean, tied=False)


def number_of(row: Example) -> float:
    """A row's gold number.

    Raises:
        DataError: It is none.
    """
    try:
        if isinstance(row.label, bool | tuple):
            raise ValueError
        return float(row.label)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise DataError(f"row {row.id!r}: {row.label!r} is no number") from error
