"""From similarities to the rows shown."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import SpecError, nearest
from promptkit.types import Example

#: Which end of the shots the most similar one stands at.
Order = Literal["nearest_last", "nearest_first"]


def top(scores: NDArray[np.floating], k: int, barred: Collection[int] = ()) -> list[int]:
    """The k places with the highest scores, highest first, the lower place first on a tie.

    One partial sort, so that a pool of 100 000 rows costs milliseconds.

    Args:
        scores: (n,) similarities; not changed.
        k: How many; fewer come back where fewer are left.
        barred: Places that may not come back.
    """
    free = np.ones(len(scores), dtype=bool)
    free[list(barred)] = False
    places = np.flatnonzero(free)
    if k == 0 or len(places) == 0:
        return []
    kept = scores[places]
    if k < len(places):
        # argpartition cuts a tie anywhere: take all that tie with the k-th, then cut by place.
        least = np.partition(kept, len(kept) - k)[len(kept) - k]
        places, kept = places[kept >= least], kept[kept >= least]
    best = np.lexsort((places, -kept))[:k]
    return [int(place) for place in places[best]]


def shown(ranked: list[Example], order: Order) -> list[Example]:
    """The rows, most similar first, turned into the order of the prompt."""
    return ranked[::-1] if order == "nearest_last" else ranked


def check_order(order: str) -> None:
    """Fail on an order that there is not.

    Raises:
        SpecError: Names the nearest one.
    """
    known = get_args(Order)
    if order not in known:
        raise SpecError(f"option 'order': no order named {order!r}; {nearest(order, known)}")
