"""Training rows dealt into parts: options are chosen on rows that a fit did not see."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]


def folds(
    targets: Places, n: int, seed: int, tried: int | None = None
) -> Iterator[tuple[Places, Places]]:
    """Places to fit on and places to try on, n times; each row is tried on at most once.

    Rows of a label are dealt out in turn, so that every part has its share of each. A row whose
    label is left with no other row to fit on is not tried on: nothing could have known it.

    Args:
        targets: (n,) each row's label as a number.
        n: Parts; fewer come back where there is nothing to try on in one.
        seed: Which row goes where.
        tried: How many rows are ever tried on, from the first; those behind them are always fitted
            on. None: all.
    """
    part = np.full(len(targets), -1)
    part[:tried] = _dealt(targets[:tried], n, seed)
    for number in range(n):
        inside = np.flatnonzero(part != number)
        outside = np.flatnonzero((part == number) & np.isin(targets, targets[inside]))
        if len(outside) and len(inside):
            yield inside, outside


def at_most(targets: Places, most: int, seed: int) -> Places:
    """Places of so many rows at most, in order, each label with about its share."""
    if len(targets) <= most:
        return np.arange(len(targets))
    parts = -(-len(targets) // most)
    return np.flatnonzero(_dealt(targets, parts, seed) == 0)


def _dealt(targets: Places, n: int, seed: int) -> Places:
    """(n,) the part of each row: the shuffled rows, sorted by label, are dealt like cards."""
    shuffled = np.random.default_rng([seed, 3]).permutation(len(targets))
    by_label = shuffled[np.argsort(targets[shuffled], kind="stable")]
    part = np.empty(len(targets), np.int64)
    part[by_label] = np.arange(len(targets)) % n
    return part
