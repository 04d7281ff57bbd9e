"""Rows that are drawn: by chance alone, or with as many of each label as a model takes them for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from promptkit.chance import ranker
from promptkit.types import Example

Places = NDArray[np.int64]


def chance_order(rows: Sequence[Example], seed: int) -> Places:
    """All places in a drawn order that depends on the rows' ids and on nothing else.

    Args:
        rows: The pool.
        seed: Which draw.
    """
    rank = ranker(seed, "label next")
    order = sorted(range(len(rows)), key=lambda place: rank(rows[place].id))
    return np.array(order, np.int64)


def balanced(order: Places, said: Places, n: int) -> Places:
    """The first n rows when each label has its turn.

    Args:
        order: Places in the pool, in a drawn order.
        said: (m,) the label that each row of the pool is taken for.
        n: How many.
    """
    taken = np.empty(len(order), np.int64)  # how many of the same label come before
    for label in np.unique(said):
        own = said[order] == label
        taken[own] = np.arange(own.sum())
    return order[np.argsort(taken, kind="stable")][:n]
