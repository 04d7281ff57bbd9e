"""The most similar demonstration first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from promptkit.orders.by_cosine import ByCosine
from promptkit.protocols import CanEncode
from promptkit.types import Example


class NearestFirst:
    """Puts the shot nearest to the query first, farthest from it.

    Near is a high cosine of the embeddings. Of two that are as near, the one with the lower
    id counts as nearer.

    Args:
        seed: Taken so that orders can be exchanged; there is nothing to draw.
        encoder: Embeds texts into vectors of length one.
    """

    def __init__(self, seed: int = 0, encoder: CanEncode | None = None) -> None:
        self.seed = seed
        self.encoder = encoder

    def fit(self, pool: Sequence[Example]) -> NearestFirst:
        """Take the encoder; of the pool, what is shown is embedded when it is shown.

        Raises:
            SpecError: There is no encoder.
        """
        self.cosines_ = ByCosine(self.encoder, "nearest_first")
        return self

    def prepare(self, rows: Iterable[Example]) -> None:
        """Embed many queries and shots at once; only a matter of speed."""
        self.cosines_.prepare(rows)

    def arrange(self, query: Example, shots: Sequence[Example]) -> list[Example]:
        """The shots by their cosine with the query."""
        return self.cosines_.ranked(query, shots)
