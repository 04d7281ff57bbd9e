"""Words and a linear classifier: what no pre-trained model at all would reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from sklearn.linear_model import LogisticRegression

from promptkit.backends.meter import Meter
from promptkit.errors import SpecError, StoreError
from promptkit.protocols import NO_CONTEXT, FitContext
from promptkit.strategies.classified import Classified, evidence_of, spread, targets_of
from promptkit.strategies.folds import Places, at_most, folds
from promptkit.strategies.linear_heads import one_thread, quietly
from promptkit.strategies.ngrams import NGrams
from promptkit.strategies.reading import Reading
from promptkit.types import Evidence, Example, Scalar, flat

Floats = NDArray[np.float64]

#: Inverse strengths of the penalty that are tried.
GRID = (1.0, 10.0, 100.0)
PARTS = 5
#: Rows that an inverse strength is chosen on at most; the fit itself takes all rows.
CHOSEN_ON = 1000
#: Rows whose products with each other are worked out to save width.
NARROWED = 2000
_CHOOSE = "choose"
_FILE = "linear.safetensors"


class Tfidf(Classified):
    """Logistic regression over TF-IDF vectors (Salton & Buckley 1988) of words and letters.

    Args:
        labels: The task's labels.
        reading: A row's text.
        c: Inverse strength of the squared penalty on the weights; ``choose`` takes the one of 1,
            10 and 100 that gives held-out training rows the highest mean log-probability, in five
            parts that hold each label's share. The weakest penalty stands where no row can be held
            out, since every label has one row.
        seed: Which training row is held out when.

    Raises:
        SpecError: ``c`` is neither ``choose`` nor a number above 0.
    """

    def __init__(
        self,
        labels: Sequence[Scalar],
        reading: Reading,
        *,
        c: float | str = _CHOOSE,
        seed: int = 0,
    ) -> None:
        if c != _CHOOSE and (isinstance(c, str | bool) or not c > 0):
            raise SpecError(f"option 'c' is {c!r}; it must be 'choose' or a number above 0")
        self.labels, self.reading, self.c, self.seed = labels, reading, c, seed
        self._meter = Meter()

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Learn vocabulary and weights.

        Raises:
            DataError: No row, or one whose label the task does not have.
        """
        with self._meter.timed(), one_thread():
            targets = targets_of(train, self.labels)
            texts = self._texts(train)
            self.seen_ = np.unique(targets)
            self.c_ = float(self.c) if self.c != _CHOOSE else _chosen(texts, targets, self.seed)
            self.ngrams_ = NGrams().fit(texts)
            vectors = self.ngrams_.transform(texts)
            narrow, back = _narrowed(vectors)
            weights, self.bias_ = _fitted(narrow, targets, self.c_)
            self.weights_ = np.ascontiguousarray(back(weights))
        self._meter.add(trained_parameters=self.weights_.size + self.bias_.size)
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """The classifier's log-probabilities."""
        with self._meter.timed():
            log_p = np.empty((0, len(self.seen_)))
            if examples:
                vectors = self.ngrams_.transform(self._texts(examples))
                log_p = _log_p(vectors, self.weights_, self.bias_)
        self._meter.add(rows=len(examples))
        return evidence_of(examples, spread(log_p, self.seen_.tolist(), len(self.labels)), "tf-idf")

    def describe(self) -> Mapping[str, Any]:
        """Its name, its options and what it reads."""
        chosen = {"seed": self.seed} if self.c == _CHOOSE else {}
        return {"name": "tfidf", "c": self.c, **chosen, **self.reading.describe()}

    def save(self, folder: Path) -> None:
        """Write vocabulary, rarities and weights."""
        self.ngrams_.save(folder)
        arrays = {"weights": self.weights_, "bias": self.bias_, "seen": self.seen_}
        save_file({**arrays, "c": np.array([self.c_])}, folder / _FILE)

    def restore(self, folder: Path) -> Self:
        """Take up what `save` wrote.

        Raises:
            StoreError: A file is missing or broken.
        """
        self.ngrams_ = NGrams().restore(folder)
        try:
            found = load_file(folder / _FILE)
            self.weights_, self.bias_, self.seen_ = (
                found[name] for name in ("weights", "bias", "seen")
            )
            self.c_ = float(found["c"][0])
        except (OSError, KeyError, SafetensorError) as error:
            raise StoreError(
                f"{folder / _FILE}: cannot be read ({error}); save the model again"
            ) from error
        return self

    def _texts(self, examples: Sequence[Example]) -> list[str]:
        return [flat(self.reading(example)) for example in examples]


def _chosen(texts: Sequence[str], targets: Places, seed: int) -> float:
    """The inverse strength that does best on rows it was not fitted on; the smallest on a tie."""
    kept = at_most(targets, CHOSEN_ON, seed)
    texts, targets = [texts[place] for place in kept], targets[kept]
    told = dict.fromkeys(GRID, 0.0)
    tried = False
    for inside, outside in folds(targets, PARTS, seed):
        ngrams = NGrams().fit([texts[place] for place in inside])
        known = ngrams.transform([texts[place] for place in inside])
        unknown = ngrams.transform([texts[place] for place in outside])
        right = np.searchsorted(np.unique(targets[inside]), targets[outside])
        narrow, back = _narrowed(known)
        for c in GRID:
            weights, bias = _fitted(narrow, targets[inside], c)
            log_p = _log_p(unknown, back(weights), bias)
            told[c] += float(log_p[np.arange(len(right)), right].sum())
        tried = True
    return max(GRID, key=lambda c: told[c]) if tried else GRID[-1]


def _narrowed(vectors: Any) -> tuple[Any, Callable[[Floats], Floats]]:
    """(n, r) rows with the same products between them, and the way back for weights on these.

    A penalty on squared weights leaves nothing of them outside of what the rows span, so that ten
    thousand n-grams of four hundred rows are four hundred numbers.
    """
    n, width = vectors.shape
    if n >= width or n > NARROWED:
        return vectors, lambda weights: weights
    values, axes = np.linalg.eigh((vectors @ vectors.T).toarray())
    kept = values > values[-1] * 1e-12
    if not kept.any():  # no row holds an n-gram
        return vectors, lambda weights: weights
    root = np.sqrt(values[kept])
    span = vectors.T @ (axes[:, kept] / root)
    return axes[:, kept] * root, lambda weights: weights @ span.T


def _fitted(vectors: Any, targets: Places, c: float) -> tuple[Floats, Floats]:
    """(s, w) weights and (s,) bias for the s labels that occur."""
    if len(np.unique(targets)) == 1:
        return np.zeros((1, vectors.shape[1])), np.zeros(1)
    model = quietly(LogisticRegression(C=c, max_iter=2000).fit, vectors, targets)
    weights, bias = np.asarray(model.coef_), np.asarray(model.intercept_)
    if len(weights) == 1:  # for two labels it has the second one's against the first's
        weights, bias = np.vstack([0 * weights, weights]), np.array([0.0, bias[0]])
    return weights, bias


def _log_p(vectors: Any, weights: Floats, bias: Floats) -> Floats:
    """(n, s) normalised."""
    scores: Floats = vectors @ weights.T + bias
    scores = scores - scores.max(axis=1, keepdims=True)
    log_p: Floats = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return log_p
