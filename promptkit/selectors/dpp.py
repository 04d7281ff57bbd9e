"""Demonstrations that a determinantal point process holds most probable together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from promptkit.errors import SpecError
from promptkit.protocols import CanEncode
from promptkit.selectors.embedded import EmbeddedPool
from promptkit.selectors.pool import Pool, check_k
from promptkit.types import Example

#: What of a row no row taken says; less is nothing, beside the rounding of cosines.
_NOTHING_NEW = 1e-5


class DPPSelector:
    """Shows rows that are near to the query and, as a set, unlike each other.

    With likeness s = (1 + cosine) / 2, a set has the weight of the determinant of its kernel

        L_ij = r_i * s_ij * r_j,   r_i = exp(s(query, i) / (2 * trade_off)),

    as in CEIL (Ye et al., 2023, "Compositional Exemplars"), here with the encoder as it is: none is
    trained. The most probable set is approached row by row (Chen et al., 2018): each time the row
    that adds most to the logarithm of the determinant, which is s(query, i) / trade_off plus the
    logarithm of what the rows taken do not say of it. Where nothing new is left, the nearest rows
    follow. What is taken first, the row nearest to the query, stands last in the prompt. Ties go to
    the row nearer to the query, then to the lower id.

    Args:
        seed: Taken so that selectors can be exchanged; there is nothing to draw.
        encoder: Embeds texts into vectors of length one.
        trade_off: What likeness to the query is divided by: more makes rows more diverse.
        candidates: So many rows nearest to the query are chosen among, and k where that is more.
    """

    def __init__(
        self,
        seed: int = 0,
        encoder: CanEncode | None = None,
        trade_off: float = 0.1,
        candidates: int = 100,
    ) -> None:
        if not trade_off > 0:
            raise SpecError(f"option 'trade_off' is {trade_off!r}; it must be above 0")
        if candidates < 1:
            raise SpecError(f"option 'candidates' is {candidates!r}; it must be 1 or more")
        self.seed = seed
        self.encoder = encoder
        self.trade_off = trade_off
        self.candidates = candidates

    def fit(self, pool: Sequence[Example]) -> DPPSelector:
        """Embed the pool, each text once.

        Raises:
            DataError: A row has no label, or two different rows share an id.
            SpecError: There is no encoder.
        """
        self.pool_ = Pool.of(pool)
        self.embedded_ = EmbeddedPool(self.pool_, self.encoder, "dpp")
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
        places, cosines = self.embedded_.nearest(
            query, max(k, self.candidates), self.pool_.barred(query)
        )
        relevance = (1 + cosines) / 2 / self.trade_off
        # Rows of the Cholesky factor of the likenesses, one for each row taken; `new` is what is
        # left on the diagonal. The r factors of the kernel stay outside as logarithms, where they
        # cannot overflow.
        factor = np.zeros((min(k, len(places)), len(places)))
        new = np.ones(len(places))
        left = np.ones(len(places), dtype=bool)
        taken: list[int] = []
        while len(taken) < min(k, len(places)):
            gain = np.full(len(places), -np.inf)
            some = left & (new > _NOTHING_NEW)
            gain[some] = np.round(relevance[some] + np.log(new[some]), 9)
            best = int(np.argmax(gain if some.any() else left))  # the first one is the nearest
            if some.any():
                vector = self.embedded_.vectors[places[best]]
                likeness = (1 + self.embedded_.products(places, vector)) / 2
                known = factor[:, best] @ factor
                factor[len(taken)] = (likeness - known) / np.sqrt(new[best])
                new = new - factor[len(taken)] ** 2
            left[best] = False
            taken.append(best)
        return [self.pool_.rows[places[place]] for place in reversed(taken)]
