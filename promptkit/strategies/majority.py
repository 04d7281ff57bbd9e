"""The most frequent label of the training rows, whatever the row says: what a model must beat."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from promptkit.backends.meter import Meter
from promptkit.errors import StoreError
from promptkit.protocols import NO_CONTEXT, FitContext
from promptkit.strategies.classified import Classified, evidence_of, targets_of
from promptkit.strategies.reading import Reading
from promptkit.types import Evidence, Example, Scalar

_FILE = "counts.json"


class Majority(Classified):
    """Says the label that most training rows have; of equally frequent ones the first declared.

    A label's probability is its share of the training rows, with one row more for each label that
    occurs (Laplace's rule of succession), so that few rows make no certainty. A label that no
    training row has gets none at all.

    Args:
        labels: The task's labels.
        reading: Taken as by every strategy; nothing of a row is read.
        seed: Taken as by every strategy; nothing is drawn.
    """

    def __init__(self, labels: Sequence[Scalar], reading: Reading, *, seed: int = 0) -> None:
        self.labels, self.reading, self.seed = labels, reading, seed
        self._meter = Meter()

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Count the labels.

        Raises:
            DataError: No row, or one whose label the task does not have.
        """
        with self._meter.timed():
            targets = targets_of(train, self.labels)
            self.counts_ = np.bincount(targets, minlength=len(self.labels))
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """The same shares for every row."""
        with self._meter.timed():
            log_p = np.tile(smoothed(self.counts_), (len(examples), 1))
        self._meter.add(rows=len(examples))
        return evidence_of(examples, log_p, "share of training rows")

    def describe(self) -> Mapping[str, Any]:
        """Its name; it has no options that change a result."""
        return {"name": "majority"}

    def save(self, folder: Path) -> None:
        """Write the counts."""
        (folder / _FILE).write_text(json.dumps(self.counts_.tolist()), encoding="utf-8")

    def restore(self, folder: Path) -> Self:
        """Read the counts.

        Raises:
            StoreError: The file is missing, broken, or of other labels.
        """
        self.counts_ = read_counts(folder / _FILE, len(self.labels))
        return self


def smoothed(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(k,) log-shares of counts, one added to each that is not 0; -inf for those that are."""
    added = np.where(counts > 0, counts + 1, 0)
    with np.errstate(divide="ignore"):
        log_p: NDArray[np.float64] = np.log(added / added.sum())
    return log_p


def read_counts(file: Path, k: int) -> NDArray[np.int64]:
    """(k,) the counts of a file that `Majority.save` wrote.

    Raises:
        StoreError: The file is missing, broken, or of another number of labels.
    """
    try:
        counts = np.array(json.loads(file.read_text(encoding="utf-8")), np.int64)
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"{file}: cannot be read ({error}); save the model again") from error
    if counts.shape != (k,):
        raise StoreError(f"{file}: is of {counts.size} labels, and the task has {k}; fit again")
    return counts
