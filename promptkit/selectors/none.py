"""No demonstrations: zero-shot."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.selectors.pool import check_k
from promptkit.types import Example


class NoneSelector:
    """Shows nothing, whatever k is; so its pool may be empty or without labels.

    Args:
        seed: Taken so that selectors can be exchanged; there is nothing to draw.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, pool: Sequence[Example]) -> NoneSelector:
        """Learn nothing."""
        return self

    def select(self, query: Example, k: int) -> list[Example]:
        """No rows.

        Raises:
            SpecError: k is negative.
        """
        check_k(k)
        return []
