"""The labels of the training rows that lie nearest: nothing is trained, and it is hard to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from promptkit.backends.embedding import EmbeddingBackend, shared_encoder
from promptkit.backends.meter import Meter
from promptkit.backends.weights import MINILM, locate
from promptkit.errors import CapabilityError, SpecError, StoreError
from promptkit.protocols import NO_CONTEXT, FitContext
from promptkit.strategies.classified import Classified, evidence_of, targets_of
from promptkit.strategies.reading import Reading
from promptkit.types import Evidence, Example, Scalar, flat

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

#: Numbers of neighbours that are tried, the first that does best is taken.
GRID = (1, 3, 5)
#: Rows whose similarities to all training rows are held at a time.
BLOCK = 1024
_CHOOSE = "choose"
_FILE = "neighbours.safetensors"


class NearestNeighbour(Classified):
    """k nearest neighbours (Cover & Hart 1967) by cosine in a sentence encoder's space.

    Each of the k votes for its label with weight (1 + cosine) / 2, so that of equally many votes
    the nearer ones decide (Dudani 1976). One more vote is spread evenly over the labels that
    occur: a label without a neighbour is unlikely, not impossible.

    Args:
        labels: The task's labels.
        reading: A row's text.
        model: ``minilm``, a sentence-transformers folder, or a hub id.
        k: Neighbours that vote; ``choose`` takes the one of 1, 3 and 5 that gets most training
            rows right when each is left out in turn, and copies of it with it. The fewest on a
            tie.
        seed: Taken as by every strategy; nothing is drawn.
        device: Where the encoder runs.
        dtype: Its number format.

    Raises:
        SpecError: ``k`` is neither ``choose`` nor a whole number above 0.
    """

    def __init__(
        self,
        labels: Sequence[Scalar],
        reading: Reading,
        *,
        model: str = MINILM,
        k: int | str = _CHOOSE,
        seed: int = 0,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        if k != _CHOOSE and (not isinstance(k, int) or isinstance(k, bool) or k < 1):
            raise SpecError(f"option 'k' is {k!r}; it must be 'choose' or a whole number above 0")
        self.labels, self.reading, self.model, self.k = labels, reading, model, k
        self.seed, self.device, self.dtype = seed, device, dtype
        self._meter = Meter()
        self._encoder: EmbeddingBackend | None = None

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Encode the training rows.

        Raises:
            DataError: No row, or one whose label the task does not have.
            CapabilityError: The model is no sentence encoder.
        """
        with self._meter.timed():
            self.targets_ = targets_of(train, self.labels)
            self.vectors_, _ = self._encode(train)
            self.k_ = int(self.k) if self.k != _CHOOSE else self._chosen(train)
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """The logarithm of each label's share of the votes."""
        cut: list[int] = []
        log_p = np.empty((0, len(self.labels)))
        with self._meter.timed():
            if examples:
                vectors, cut = self._encode(examples)
                log_p = np.vstack(
                    [self._log_p(vectors[start : start + BLOCK] @ self.vectors_.T)
                     for start in range(0, len(vectors), BLOCK)]
                )  # fmt: skip
        self._meter.add(rows=len(examples))
        return evidence_of(examples, log_p, f"{self.k_} nearest", cut)

    def describe(self) -> Mapping[str, Any]:
        """Its name, its options and what it reads."""
        return {
            "name": "nearest_neighbour",
            "model": locate(self.model).shown,
            "k": self.k,
            **self.reading.describe(),
        }

    def save(self, folder: Path) -> None:
        """Write the vectors and labels of the training rows, and the number of neighbours."""
        arrays: dict[str, NDArray[Any]] = {"vectors": self.vectors_, "targets": self.targets_}
        save_file({**arrays, "k": np.array([self.k_])}, folder / _FILE)

    def restore(self, folder: Path) -> Self:
        """Take up what `save` wrote.

        Raises:
            StoreError: The file is missing or broken.
        """
        try:
            found = load_file(folder / _FILE)
            self.vectors_, self.targets_ = found["vectors"], found["targets"]
            self.k_ = int(found["k"][0])
        except (OSError, KeyError, SafetensorError) as error:
            raise StoreError(
                f"{folder / _FILE}: cannot be read ({error}); save the model again"
            ) from error
        return self

    def _chosen(self, train: Sequence[Example]) -> int:
        """The number of neighbours that does best on training rows left out in turn."""
        texts = {flat(self.reading(row)): place for place, row in enumerate(train)}
        same = np.array([texts[flat(self.reading(row))] for row in train])
        right = dict.fromkeys(GRID, 0)
        for start in range(0, len(train), BLOCK):
            block = slice(start, start + BLOCK)
            cosines = self.vectors_[block] @ self.vectors_.T
            cosines[same[block, None] == same[None, :]] = -np.inf
            for k in GRID:
                found = self._log_p(cosines, k).argmax(axis=1)
                right[k] += int((found == self.targets_[block]).sum())
        return max(GRID, key=lambda k: right[k])

    def _log_p(self, cosines: NDArray[np.float32], k: int | None = None) -> Floats:
        """(n, k labels) from (n, t) cosines; a training row at -inf does not vote."""
        near, weights = nearest_of(cosines, self.k_ if k is None else k)
        votes = np.zeros((len(cosines), len(self.labels)))
        np.add.at(votes, (np.arange(len(cosines))[:, None], self.targets_[near]), weights)
        seen = np.bincount(self.targets_, minlength=len(self.labels)) > 0
        votes += seen / seen.sum()
        with np.errstate(divide="ignore"):
            log_p: Floats = np.log(votes / votes.sum(axis=1, keepdims=True))
        return log_p

    def _encode(self, examples: Sequence[Example]) -> tuple[NDArray[np.float32], list[int]]:
        encoder = self._loaded()
        before = encoder.cost
        vectors, cut = encoder.vectors([self.reading(example) for example in examples])
        spent = encoder.cost - before
        self._meter.add(prompt_tokens=spent.prompt_tokens, computed_tokens=spent.computed_tokens)
        return vectors, cut

    def _loaded(self) -> EmbeddingBackend:
        if self._encoder is None:
            kind = locate(self.model).kind()
            if kind != "sentence-encoder":
                raise CapabilityError(
                    f"strategy 'nearest_neighbour' needs a sentence encoder; {self.model!r} is of "
                    f"kind {kind!r}: use --model {MINILM}, or a sentence-transformers folder"
                )
            self._encoder = shared_encoder(self.model, device=self.device, dtype=self.dtype)
        return self._encoder


def nearest_of(cosines: NDArray[np.float32], k: int) -> tuple[Places, Floats]:
    """(n, k) places of the highest cosines, the earlier row first on a tie, and their weights.

    Fewer than k where there are fewer; the weight of a row at -inf is 0.
    """
    near = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    found = np.take_along_axis(cosines, near, axis=1).astype(np.float64)
    return near, np.where(np.isneginf(found), 0.0, (1 + found) / 2)
