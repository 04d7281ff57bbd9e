"""An order: the shortest demonstration stands next to the query."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.selectors.copies import text_of
from promptkit.types import Example


class ShortestLast:
    """Arranges demonstrations by length, the longest first.

    Args:
        seed: Taken as by every order; nothing is drawn.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, pool: Sequence[Example]) -> ShortestLast:
        """Learns nothing."""
        return self

    def arrange(self, query: Example, shots: Sequence[Example]) -> list[Example]:
        """The same rows, in another list."""
        return sorted(shots, key=lambda row: (-len(text_of(row)), row.id))
