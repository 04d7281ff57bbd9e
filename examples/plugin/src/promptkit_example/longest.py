"""A selector: demonstrations that say much."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.selectors.copies import text_of
from promptkit.selectors.pool import Pool, check_k
from promptkit.types import Example


class LongestSelector:
    """Shows the longest rows first.

    Args:
        seed: Taken as by every selector; nothing is drawn.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, pool: Sequence[Example]) -> LongestSelector:
        """Keep the pool; copies are merged, and a row without label is an error."""
        self.pool_ = Pool.of(pool)
        return self

    def select(self, query: Example, k: int) -> list[Example]:
        """At most k rows, never the query nor a copy of it; ties go to the lower id."""
        check_k(k)
        others = self.pool_.others(query)
        return sorted(others, key=lambda row: (-len(text_of(row)), row.id))[:k]
