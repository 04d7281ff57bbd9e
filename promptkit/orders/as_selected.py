"""Demonstrations as the selector gave them."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.types import Example


class AsSelected:
    """Leaves the order to the selector.

    Args:
        seed: Taken so that orders can be exchanged; there is nothing to draw.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, pool: Sequence[Example]) -> AsSelected:
        """Learn nothing."""
        return self

    def arrange(self, query: Example, shots: Sequence[Example]) -> list[Example]:
        """The shots as they come."""
        return list(shots)
