"""A guess for every row: how good an answer is that knows nothing at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from promptkit.backends.meter import Meter
from promptkit.protocols import NO_CONTEXT, FitContext
from promptkit.strategies.classified import Classified, evidence_of, targets_of
from promptkit.strategies.majority import read_counts
from promptkit.strategies.reading import Reading
from promptkit.types import Evidence, Example, Scalar

#: How much more likely, in nats, the guessed label is called than the others.
LEAD = 1e-6
_FILE = "counts.json"


class Random(Classified):
    """Guesses one of the labels that training rows have, all alike likely.

    Without training rows, all labels are guessed.

    The guess is a hash of the seed and the row's id: it depends on no other row, and is the same
    in every run. A guess is no knowledge, so the probabilities are uniform, but for a millionth
    that the guessed label is ahead: log loss and calibration error are those of an answer that
    knows that it does not know.

    Args:
        labels: The task's labels.
        reading: Taken as by every strategy; nothing of a row is read.
        seed: Another seed makes other guesses.
    """

    def __init__(self, labels: Sequence[Scalar], reading: Reading, *, seed: int = 0) -> None:
        self.labels, self.reading, self.seed = labels, reading, seed
        self._meter = Meter()

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """See which labels there are to guess.

        Raises:
            DataError: A row's label is none of the task's.
        """
        with self._meter.timed():
            k = len(self.labels)
            targets = targets_of(train, self.labels) if train else np.arange(k)
            self.counts_ = np.bincount(targets, minlength=k)
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """A guess for each row."""
        with self._meter.timed():
            seen = np.flatnonzero(self.counts_)
            score = np.full((len(examples), len(self.labels)), -np.inf)
            score[:, seen] = 0.0
            for place, example in enumerate(examples):
                score[place, seen[_draw(self.seed, example.id, len(seen))]] = LEAD
            log_p = score - np.log(np.exp(score).sum(axis=1, keepdims=True))
        self._meter.add(rows=len(examples))
        return evidence_of(examples, log_p, "guess")

    def describe(self) -> Mapping[str, Any]:
        """Its name and its seed."""
        return {"name": "random", "seed": self.seed}

    def save(self, folder: Path) -> None:
        """Write which labels there are."""
        (folder / _FILE).write_text(json.dumps(self.counts_.tolist()), encoding="utf-8")

    def restore(self, folder: Path) -> Self:
        """Read which labels there are.

        Raises:
            StoreError: The file is missing, broken, or of other labels.
        """
        self.counts_ = read_counts(folder / _FILE, len(self.labels))
        return self


def _draw(seed: int, example_id: str, n: int) -> int:
    """A number below n, as good as uniform: n is tiny beside 2**64."""
    digest = hashlib.sha256(json.dumps([seed, example_id]).encode()).digest()
    return int.from_bytes(digest[:8], "big") % n
