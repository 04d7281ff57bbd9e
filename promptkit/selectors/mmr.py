"""Demonstrations that are near to the query and far from each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from promptkit.errors import SpecError
from promptkit.protocols import CanEncode
from promptkit.selectors.embedded import EmbeddedPool
from promptkit.selectors.pool import Pool, check_k
from promptkit.types import Example


class MMRSelector:
    """Shows rows of maximal marginal relevance (Carbonell & Goldstein, 1998).

    One row after the other is taken: the one whose cosine to the query, less its highest cosine to
    a row already taken, is greatest::

        (1 - diversity) * cos(query, row) - diversity * max over taken of cos(row, taken)

    As demonstrations: Ye et al. (2023, "Complementary Explanations"), who weigh both alike. What
    is taken first, the row nearest to the query, stands last in the prompt. Ties go to the row
    nearer to the query, then to the lower id.

    Args:
        seed: Taken so that selectors can be exchanged; there is nothing to draw.
        encoder: Embeds texts into vectors of length one.
        diversity: From 0, which is `nearest`, to 1, where likeness to the query counts no more
            once the first row is taken.
        candidates: So many rows nearest to the query are chosen among, and k where that is more.
    """

    def __init__(
        self,
        seed: int = 0,
        encoder: CanEncode | None = None,
        diversity: float = 0.5,
        candidates: int = 200,
    ) -> None:
        if not 0 <= diversity <= 1:
            raise SpecError(f"option 'diversity' is {diversity!r}; it must be from 0 to 1")
        if candidates < 1:
            raise SpecError(f"option 'candidates' is {candidates!r}; it must be 1 or more")
        self.seed = seed
        self.encoder = encoder
        self.diversity = diversity
        self.candidates = candidates

    def fit(self, pool: Sequence[Example]) -> MMRSelector:
        """Embed the pool, each text once.

        Raises:
            DataError: A row has no label, or two different rows share an id.
            SpecError: There is no encoder.
        """
        self.pool_ = Pool.of(pool)
        self.embedded_ = EmbeddedPool(self.pool_, self.encoder, "mmr")
        return self

    def prepare(self, queries: Iterable[Example]) -> None:
        """Embed many queries at once; only a matter of speed."""
        self.embedded_.prepare(queries)

    def select(self, query: Example, k: int) -> list[Example]:
        """At most k rows.

        Raises:
            SpecError: k is negative.
        """
        check_k(k)
        if k == 0:
            return []
        places, relevance = self.embedded_.nearest(
            query, max(k, self.candidates), self.pool_.barred(query)
        )
        # The highest cosine to a row taken; with none taken, relevance alone decides.
        likeness = np.zeros(len(places))
        left = np.ones(len(places), dtype=bool)
        taken: list[int] = []
        while len(taken) < min(k, len(places)):
            worth = (1 - self.diversity) * relevance - self.diversity * likeness
            # Rounded, for two ways to one sum differ in the last bit; the first of a tie is nearer.
            best = int(np.argmax(np.where(left, np.round(worth, 9), -np.inf)))
            own = self.embedded_.products(places, self.embedded_.vectors[places[best]])
            likeness = np.maximum(likeness, own) if taken else own
            left[best] = False
            taken.append(int(places[best]))
        return [self.pool_.rows[place] for place in reversed(taken)]
