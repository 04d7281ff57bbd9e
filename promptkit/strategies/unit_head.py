"""Logistic regression on vectors of length one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import StoreError
from promptkit.strategies.classified import spread
from promptkit.strategies.linear_heads import quietly

#: Steps of the solver at most; vectors of length one take a few dozen.
_STEPS = 2000


class UnitHead:
    """From a row's vector to log-probabilities of the labels that training rows had.

    Args:
        weights: (s, w) of each label seen; the rows of two labels are 0 and the difference.
        bias: (s,).
        seen: (s,) places of these labels among all k.
        k: Number of labels.
    """

    def __init__(
        self,
        weights: NDArray[np.float64],
        bias: NDArray[np.float64],
        seen: Sequence[int],
        k: int,
    ) -> None:
        self.weights, self.bias, self.seen, self.k = weights, bias, tuple(seen), k

    @classmethod
    def fitted(
        cls, vectors: NDArray[np.float32], targets: NDArray[np.int64], k: int, c: float
    ) -> UnitHead:
        """Learn from (n, w) vectors of length one.

        Args:
            vectors: The training rows.
            targets: (n,) places of their labels.
            k: Number of labels.
            c: Inverse strength of the squared penalty on the weights, as in scikit-learn.
        """
        from sklearn.linear_model import LogisticRegression

        seen = [int(place) for place in np.unique(targets)]
        rows = vectors.astype(np.float64)
        if len(seen) == 1:
            return cls(np.zeros((1, rows.shape[1])), np.zeros(1), seen, k)
        solved = quietly(LogisticRegression(C=c, max_iter=_STEPS).fit, rows, targets)
        weights, bias = solved.coef_, solved.intercept_
        if len(seen) == 2:  # one row of weights stands for the second label against the first
            weights = np.vstack([np.zeros_like(weights), weights])
            bias = np.concatenate([np.zeros(1), bias])
        return cls(weights, bias, seen, k)

    @property
    def size(self) -> int:
        """Numbers that were learned."""
        return int(self.weights.size + self.bias.size)

    def log_p(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, k) log-probabilities of (n, w) vectors; -inf where no training row had the label."""
        logits = vectors.astype(np.float64) @ self.weights.T + self.bias
        highest = logits.max(axis=1, keepdims=True)
        total = highest + np.log(np.exp(logits - highest).sum(axis=1, keepdims=True))
        return spread(logits - total, self.seen, self.k)

    def save(self, file: Path) -> None:
        """Write it as safetensors."""
        from safetensors.numpy import save_file

        save_file(
            {
                "weights": np.ascontiguousarray(self.weights),
                "bias": np.ascontiguousarray(self.bias),
                "seen": np.array(self.seen, np.int64),
            },
            file,
        )

    @classmethod
    def restored(cls, file: Path, k: int) -> UnitHead:
        """Read what `save` wrote.

        Raises:
            StoreError: The file is missing or broken, or of another number of labels.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            found = load_file(file)
            made = cls(found["weights"], found["bias"], found["seen"].tolist(), k)
        except (OSError, KeyError, SafetensorError) as error:
            raise StoreError(f"{file}: cannot be read ({error}); save the model again") from error
        if max(made.seen) >= k:
            raise StoreError(f"{file}: was fitted to more than {k} labels; give those of its fit")
        return made
