"""How much a score moves when only the seed does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """A score over several seeds.

    Extremes instead of a standard deviation: there are three or five seeds, and the worst one is
    what a user may get.

    Args:
        mean: Arithmetic mean.
        lowest: The smallest value.
        highest: The largest value.
        n: How many values there were.
    """

    mean: float
    lowest: float
    highest: float
    n: int


def spread(values: Iterable[float]) -> Spread:
    """Mean, lowest and highest of at least one value.

    Raises:
        ValueError: There is no value.
    """
    seen = list(values)
    if not seen:
        raise ValueError("no values to spread")
    return Spread(sum(seen) / len(seen), min(seen), max(seen), len(seen))
