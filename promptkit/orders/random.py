"""Demonstrations shuffled."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.chance import ranker
from promptkit.types import Example


class RandomOrder:
    """Shuffles the shots, anew for each query.

    Any order is as probable as any other, whichever the selector gave: with several seeds, runs
    show how much the order alone moves a score (Lu et al., 2022, saw a model go from near chance
    to near the state of the art by it).

    Args:
        seed: Seed; the order depends on it, the query's id and the shots' ids.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, pool: Sequence[Example]) -> RandomOrder:
        """Learn nothing."""
        return self

    def arrange(self, query: Example, shots: Sequence[Example]) -> list[Example]:
        """The shots by lot."""
        # A selector may draw by the same names: under a word of its own, this chance is another.
        rank = ranker(self.seed, query.id)
        return sorted(shots, key=lambda shot: rank(f"order/{shot.id}"))
