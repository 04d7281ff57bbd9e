"""Batches for training: rows of similar length together, another order in every epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: Batches whose rows are sorted by length together. More pad less; fewer mix better.
_POOL = 8


def length_batches(lengths: Sequence[int], size: int, seed: int, epoch: int) -> list[list[int]]:
    """Every row once, in batches of ``size`` (the last may be smaller), in a drawn order.

    Depends on the arguments alone, so that a training that is taken up again in any epoch sees the
    batches that it would have seen.
    """
    draw = np.random.default_rng([seed, epoch])
    order = draw.permutation(len(lengths)).tolist()
    batches: list[list[int]] = []
    for start in range(0, len(order), size * _POOL):
        pool = sorted(order[start : start + size * _POOL], key=lambda row: lengths[row])
        batches += [pool[first : first + size] for first in range(0, len(pool), size)]
    return [batches[place] for place in draw.permutation(len(batches))]
