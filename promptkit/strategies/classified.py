"""From the log-probabilities of a learned classifier to evidence, and on to predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from promptkit.backends.meter import Meter
from promptkit.errors import DataError
from promptkit.types import Cost, Evidence, Example, Prediction, Scalar, label_key
from promptkit.verbalizers.conclude import prediction_of


class Classified(ABC):
    """What strategies share whose evidence is about the labels themselves; see `Strategy`.

    A subclass sets these in ``__init__``.

    Attributes:
        labels: The task's labels.
    """

    labels: Sequence[Scalar]
    _meter: Meter

    @property
    def cost(self) -> Cost:
        """What fits and predictions have taken so far."""
        return self._meter.cost

    @abstractmethod
    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """Log-probabilities of the labels, row by row."""

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """The most probable label of each row."""
        return conclude(examples, evidence, self.labels)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Both in one."""
        return self.conclude(examples, self.gather(examples))


def targets_of(train: Sequence[Example], labels: Sequence[Scalar]) -> NDArray[np.int64]:
    """(n,) the place of each row's label in ``labels``.

    Raises:
        DataError: No row, a row without a label, or a label that the task does not have.
    """
    if not train:
        raise DataError("there is no labelled row to learn from; give some with --train-data")
    places = {label_key(label): place for place, label in enumerate(labels)}
    found = []
    for row in train:
        if label_key(row.label) not in places:
            raise DataError(f"training row {row.id!r}: {row.label!r} is none of the task's labels")
        found.append(places[label_key(row.label)])
    return np.array(found, np.int64)


def spread(log_p: NDArray[np.float64], seen: Sequence[int], k: int) -> NDArray[np.float64]:
    """(n, k) log-probabilities over all labels from (n, s) over those that training rows had.

    A label that no training row had gets -inf: a classifier has nothing to say about it.
    """
    whole = np.full((len(log_p), k), -np.inf)
    whole[:, list(seen)] = log_p
    return whole


def evidence_of(
    examples: Sequence[Example],
    log_p: NDArray[np.float64],
    kind: str,
    cut: Sequence[int] | None = None,
) -> list[Evidence]:
    """A row's (k,) log-probabilities as evidence about the labels themselves.

    Args:
        examples: The rows.
        log_p: (n, k) normalised, in the order of the labels.
        kind: What the numbers are, such as ``features``.
        cut: Characters of each row's text that the model did not read.
    """
    return [
        Evidence(
            example_id=example.id,
            log_p=tuple(float(value) for value in row),
            kind=kind,
            cut_chars=cut[place] if cut is not None else 0,
        )
        for place, (example, row) in enumerate(zip(examples, log_p, strict=True))
    ]


def conclude(
    examples: Sequence[Example], evidence: Sequence[Evidence], labels: Sequence[Scalar]
) -> list[Prediction]:
    """The label with the highest log-probability of each row."""
    return [
        prediction_of(np.asarray(found.log_p) if found.log_p else None, labels, found)
        for _, found in zip(examples, evidence, strict=True)
    ]
