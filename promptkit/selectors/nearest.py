"""Demonstrations whose embeddings are nearest to the query's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from promptkit.protocols import CanEncode
from promptkit.selectors.embedded import EmbeddedPool
from promptkit.selectors.pool import Pool, check_k
from promptkit.selectors.ranking import Order, check_order, shown
from promptkit.types import Example


class NearestSelector:
    """Shows the rows with the highest cosine to the query (KATE: Liu et al., 2022).

    Ties go to the lower id. The labels of the shots are as they come: a query deep inside one class
    is shown that class only.

    Args:
        seed: Taken so that selectors can be exchanged; there is nothing to draw.
        encoder: Embeds texts into vectors of length one.
        order: ``nearest_last`` puts the most similar row right before the query, ``nearest_first``
            at the beginning.
    """

    def __init__(
        self,
        seed: int = 0,
        encoder: CanEncode | None = None,
        order: Order = "nearest_last",
    ) -> None:
        check_order(order)
        self.seed = seed
        self.encoder = encoder
        self.order: Order = order

    def fit(self, pool: Sequence[Example]) -> NearestSelector:
        """Embed the pool, each text once.

        Raises:
            DataError: A row has no label, or two different rows share an id.
            SpecError: There is no encoder.
        """
        self.pool_ = Pool.of(pool)
        self.embedded_ = EmbeddedPool(self.pool_, self.encoder, "nearest")
        return self

    def prepare(self, queries: Iterable[Example]) -> None:
        """Embed many queries at once, where `select` would embed one after the other.

        Only a matter of speed, and no part of the `Selector` protocol.
        """
        self.embedded_.prepare(queries)

    def select(self, query: Example, k: int) -> list[Example]:
        """At most k rows.

        Raises:
            SpecError: k is negative.
        """
        check_k(k)
        places, _ = self.embedded_.nearest(query, k, self.pool_.barred(query))
        return shown([self.pool_.rows[place] for place in places], self.order)
