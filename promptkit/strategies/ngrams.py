"""Texts as TF-IDF vectors of their words and of the letters within them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from promptkit.errors import StoreError

#: The most frequent n-grams of each kind that are kept: enough for tens of thousands of rows,
#: and 77 labels' weights over them still fit into memory easily.
MOST = 50_000
_KINDS = ("words", "letters")


class NGrams:
    """Single words and pairs of them, and two to five letters within a word (n, w).

    Letters tell that "refund" and "refunded" are near, which 150 rows of words do not. Each kind
    has length one, counts enter by their logarithm. Punctuation stands in the letters only; words
    of one letter count, since "I" and "a" may say something and single digits do.
    """

    def fit(self, texts: Sequence[str]) -> Self:
        """Learn which n-grams there are, and how rare each is."""
        self._vectorizers = [_vectorizer(kind).fit(_seen(texts)) for kind in _KINDS]
        return self

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        """(n, w) sparse vectors; what was not seen in the fit counts nothing."""
        return csr_matrix(hstack([one.transform(texts) for one in self._vectorizers]))

    def save(self, folder: Path) -> None:
        """Write ``vocabulary.json`` and ``idf.safetensors``."""
        words = {kind: _ordered(one) for kind, one in self._named()}
        (folder / "vocabulary.json").write_text(json.dumps(words), encoding="utf-8")
        save_file({kind: one.idf_ for kind, one in self._named()}, folder / "idf.safetensors")

    def restore(self, folder: Path) -> Self:
        """Take up what `save` wrote.

        Raises:
            StoreError: A file is missing or broken, or they do not belong together.
        """
        try:
            words = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
            idf = load_file(folder / "idf.safetensors")
            self._vectorizers = [_restored(kind, words[kind], idf[kind]) for kind in _KINDS]
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise StoreError(
                f"{folder}: its vocabulary cannot be read ({error}); save the model again"
            ) from error
        return self

    def _named(self) -> list[tuple[str, Any]]:
        return list(zip(_KINDS, self._vectorizers, strict=True))


def _seen(texts: Sequence[str]) -> list[str]:
    """The texts, and one with a word in it: "?!" alone would be an empty vocabulary."""
    return [*texts, "text"]


def _vectorizer(kind: str, vocabulary: Any = None) -> Any:
    options: dict[str, Any] = {
        "words": {"ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
        "letters": {"analyzer": "char_wb", "ngram_range": (2, 5)},
    }[kind]
    return TfidfVectorizer(
        sublinear_tf=True, max_features=MOST, vocabulary=vocabulary, dtype=np.float64, **options
    )


def _ordered(vectorizer: Any) -> list[str]:
    vocabulary = vectorizer.vocabulary_
    return sorted(vocabulary, key=vocabulary.__getitem__)


def _restored(kind: str, words: list[str], idf: Any) -> Any:
    vectorizer = _vectorizer(kind, {word: place for place, word in enumerate(words)})
    vectorizer.idf_ = idf  # sklearn checks that they are as many
    return vectorizer
