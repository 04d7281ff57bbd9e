"""A strategy: which words the rows of a label have, and how often."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from promptkit.backends.meter import Meter
from promptkit.errors import SpecError, StoreError
from promptkit.protocols import NO_CONTEXT, FitContext
from promptkit.strategies.classified import Classified, evidence_of, targets_of
from promptkit.strategies.reading import Reading
from promptkit.types import Evidence, Example, Scalar, flat


class NaiveBayes(Classified):
    """Multinomial naive Bayes over words (Maron 1961), with some counts added to all of them.

    Args:
        labels: The task's labels.
        reading: A row's text.
        smoothing: What is added to each count.
        seed: Taken as by every strategy; nothing is drawn.

    Raises:
        SpecError: Smoothing is not above 0: a word that is new would then rule all labels out.
    """

    def __init__(
        self, labels: Sequence[Scalar], reading: Reading, *, smoothing: float = 1.0, seed: int = 0
    ) -> None:
        if not smoothing > 0:
            raise SpecError(f"option 'smoothing' is {smoothing!r}; it must be above 0")
        self.labels, self.reading, self.smoothing, self.seed = labels, reading, smoothing, seed
        self._meter = Meter()

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Count words; a label that no row has is never said."""
        with self._meter.timed():
            targets = targets_of(train, self.labels)
            bags = [Counter(self._words(row)) for row in train]
            self.words_ = sorted({word for bag in bags for word in bag})
            places = {word: place for place, word in enumerate(self.words_)}
            counts = np.full((len(self.labels), len(self.words_)), self.smoothing)
            for target, bag in zip(targets, bags, strict=True):
                for word, n in bag.items():
                    counts[target, places[word]] += n
            rows = np.bincount(targets, minlength=len(self.labels)).astype(np.float64)
            with np.errstate(divide="ignore"):
                self.log_prior_ = np.log(rows / rows.sum())
            self.log_p_ = np.log(counts / counts.sum(axis=1, keepdims=True))
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """Log-probabilities of the labels, row by row."""
        with self._meter.timed():
            places = {word: place for place, word in enumerate(self.words_)}
            log_p = np.empty((len(examples), len(self.labels)))
            for at, row in enumerate(examples):
                known = [places[word] for word in self._words(row) if word in places]
                log_p[at] = _normalised(self.log_prior_ + self.log_p_[:, known].sum(axis=1))
        self._meter.add(rows=len(examples))
        return evidence_of(examples, log_p, "naive bayes")

    def describe(self) -> Mapping[str, Any]:
        """What enters a run's fingerprint."""
        return {"name": "naive_bayes", "smoothing": self.smoothing, **self.reading.describe()}

    def save(self, folder: Path) -> None:
        """Safetensors and JSON: nothing that runs code when it is read."""
        arrays = {"log_prior": self.log_prior_, "log_p": self.log_p_}
        save_file(arrays, folder / "counts.safetensors")
        (folder / "words.json").write_text(json.dumps(self.words_), encoding="utf-8")

    def restore(self, folder: Path) -> Self:
        """Take up what `save` wrote."""
        try:
            arrays = load_file(folder / "counts.safetensors")
            self.log_prior_, self.log_p_ = arrays["log_prior"], arrays["log_p"]
            self.words_ = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        except (OSError, KeyError, ValueError) as error:
            raise StoreError(f"{folder}: cannot be read ({error}); save the model again") from error
        return self

    def _words(self, row: Example) -> list[str]:
        return flat(self.reading(row)).lower().split()


def _normalised(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    highest = log_p.max()
    found: NDArray[np.float64] = log_p - highest - np.log(np.exp(log_p - highest).sum())
    return found
