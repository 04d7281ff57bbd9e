"""The same demonstrations for every query, spread over the pool."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from promptkit.protocols import CanEncode
from promptkit.selectors.draw import ranker
from promptkit.selectors.embedded import DECIMALS, EmbeddedPool
from promptkit.selectors.pool import Pool, check_k
from promptkit.types import Example

#: Above every cosine, so that a row that is a centre is never the farthest one.
_TAKEN = 2.0


class KCentreSelector:
    """Shows centres that leave no row of the pool far from all of them.

    The first centre is drawn; each further one is the row whose nearest centre is farthest, by
    the cosine of their embeddings: the greedy k-centre of Sener & Savarese (2018), whose distance
    is at most twice the best one. Labels are not looked at. A query that is itself among the
    centres, or has a copy there, is shown the next one instead. Ties go to the lower id.

    Args:
        seed: Seed of the first centre.
        encoder: Embeds texts into vectors of length one.
    """

    def __init__(self, seed: int = 0, encoder: CanEncode | None = None) -> None:
        self.seed = seed
        self.encoder = encoder

    def fit(self, pool: Sequence[Example]) -> KCentreSelector:
        """Embed the pool, each text once, and draw the first centre.

        Raises:
            DataError: A row has no label, or two different rows share an id.
            SpecError: There is no encoder.
        """
        self.pool_ = Pool.of(pool)
        self.embedded_ = EmbeddedPool(self.pool_, self.encoder, "k_centre")
        self.centres_: list[int] = []
        self.likeness_: NDArray[np.float32] = np.full(len(self.pool_.rows), -_TAKEN, np.float32)
        return self

    def select(self, query: Example, k: int) -> list[Example]:
        """The first k centres, as they were found, that are neither the query nor a copy of it.

        Raises:
            SpecError: k is negative.
        """
        check_k(k)
        barred = self.pool_.barred(query)
        self._grow(k + len(barred))
        shown = [place for place in self.centres_ if place not in barred]
        return [self.pool_.rows[place] for place in shown[:k]]

    def _grow(self, number: int) -> None:
        """Find centres until there are so many; which ones hangs on the pool and the seed alone."""
        rows, vectors = self.pool_.rows, self.embedded_.vectors
        while len(self.centres_) < min(number, len(rows)):
            if self.centres_:
                centre = int(np.argmin(self.likeness_))
            else:
                rank = ranker(self.seed, "")
                centre = min(range(len(rows)), key=lambda place: rank(rows[place].id))
            cosines = np.round(vectors @ vectors[centre], DECIMALS)
            self.likeness_ = np.maximum(self.likeness_, cosines)
            self.likeness_[centre] = _TAKEN
            self.centres_.append(centre)
