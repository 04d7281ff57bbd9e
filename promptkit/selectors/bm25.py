"""Demonstrations that share the query's rarer words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import normalize

import bm25s
import numpy as np
from numpy.typing import NDArray

from promptkit.selectors.copies import text_of
from promptkit.selectors.draw import Lots
from promptkit.selectors.pool import Pool, check_k
from promptkit.selectors.ranking import Order, check_order, shown, top
from promptkit.types import Example

# Chinese and Japanese are written without spaces, where \w+ would take a whole clause for one word
# that no other row has: there, each character is a word.
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")


class BM25Selector:
    """Shows the rows with the highest BM25 score (Robertson & Zaragoza, 2009) for the query.

    Needs no model. Words are compared as they are written, in lower case and without stemming.
    Ties go to the lower id; rows that share no word with the query come after all others, in an
    order drawn for the query.

    Args:
        seed: Seed of that draw.
        order: ``nearest_last`` puts the most similar row right before the query, ``nearest_first``
            at the beginning.
    """

    def __init__(self, seed: int = 0, order: Order = "nearest_last") -> None:
        check_order(order)
        self.seed = seed
        self.order: Order = order

    def fit(self, pool: Sequence[Example]) -> BM25Selector:
        """Index the pool, each text once.

        Raises:
            DataError: A row has no label, or two different rows share an id.
        """
        self.pool_ = Pool.of(pool)
        self.lots_ = Lots(self.seed, (row.id for row in self.pool_.rows))
        texts = [words(text_of(row)) for row in self.pool_.rows]
        self.vocabulary_: dict[str, int] = {}
        numbers = [
            [self.vocabulary_.setdefault(word, len(self.vocabulary_)) for word in text]
            for text in texts
        ]
        self.index_ = bm25s.BM25(dtype="float64")
        if self.vocabulary_:  # bm25s fails on an index without a word
            corpus = (numbers, self.vocabulary_)
            self.index_.index(corpus, create_empty_token=False, show_progress=False)
        return self

    def select(self, query: Example, k: int) -> list[Example]:
        """At most k rows.

        Raises:
            SpecError: k is negative.
        """
        check_k(k)
        scores = self._scores(query)
        barred = self.pool_.barred(query)
        alike = [place for place in top(scores, k, barred) if scores[place] > 0]
        ranked = [self.pool_.rows[place] for place in alike]
        if len(ranked) < k:
            lots = np.where(scores > 0, -1.0, self.lots_.drawn(query.id))
            drawn = top(lots, k - len(ranked), barred)
            ranked += [self.pool_.rows[place] for place in drawn if scores[place] <= 0]
        return shown(ranked, self.order)

    def _scores(self, query: Example) -> NDArray[np.float64]:
        known = [
            self.vocabulary_[word] for word in words(text_of(query)) if word in self.vocabulary_
        ]
        if not known:
            return np.zeros(len(self.pool_.rows))
        scores: NDArray[np.float64] = self.index_.get_scores_from_ids(known)
        return scores


def words(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation.

    >>> words("Don't STOP, 東京")
    ['don', 't', 'stop', '東', '京']
    """
    return _WORD.findall(normalize("NFKC", text).lower())
