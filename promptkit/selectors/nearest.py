"""Demonstrations whose embeddings are nearest to the query's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import SpecError
from promptkit.protocols import CanEncode
from promptkit.selectors.copies import text_of
from promptkit.selectors.pool import Pool, check_k
from promptkit.selectors.ranking import Order, check_order, shown, top
from promptkit.types import Example

# One text embedded in two batches differs in the last bits, and so do the products of two equal
# rows, by where they stand in the matrix. Such differences must not decide an order.
_DECIMALS = 6


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
        encoder = self._encoder()
        self.pool_ = Pool.of(pool)
        texts = [text_of(row) for row in self.pool_.rows]
        self.vectors_ = encoder.encode(texts) if texts else np.zeros((0, 0), np.float32)
        self.seen_: dict[str, NDArray[np.float32]] = {}
        return self

    def prepare(self, queries: Iterable[Example]) -> None:
        """Embed many queries at once, where `select` would embed one after the other.

        Only a matter of speed, and no part of the `Selector` protocol.
        """
        texts = dict.fromkeys(text_of(query) for query in queries)
        new = [text for text in texts if text not in self.seen_]
        if new:
            self.seen_.update(zip(new, self._encoder().encode(new), strict=True))

    def select(self, query: Example, k: int) -> list[Example]:
        """At most k rows.

        Raises:
            SpecError: k is negative.
        """
        check_k(k)
        if k == 0 or not self.pool_.rows:
            return []
        self.prepare([query])
        cosine = np.round(self.vectors_ @ self.seen_[text_of(query)], _DECIMALS)
        places = top(cosine, k, self.pool_.barred(query))
        return shown([self.pool_.rows[place] for place in places], self.order)

    def _encoder(self) -> CanEncode:
        if self.encoder is None:
            raise SpecError("selector 'nearest' needs an encoder: something that embeds texts")
        return self.encoder
