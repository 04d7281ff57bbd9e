"""Which training rows are held out, to see when to stop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Fewer rows than this are all trained upon: what a dozen held-out rows say is noise, and the
#: rows are missed in training.
ENOUGH = 64


def hold_out(
    targets: Sequence[int], share: float, seed: int, enough: int = ENOUGH
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the rows to train on and of those held out, the labels in both as in all.

    A label gives ``share`` of its rows, rounded down, so that one with few rows gives none and
    every label stays in training. Too few rows in all, or to hold out, are none held out.

    Args:
        targets: (n,) the place of each row's label.
        share: Of each label's rows, from 0 to 0.5.
        seed: Of the draw.
        enough: Rows that it takes to hold any out.
    """
    everything = np.arange(len(targets))
    if len(targets) < enough or not share:
        return everything, everything[:0]
    draw = np.random.default_rng(seed)
    known = np.asarray(targets)
    chosen: list[int] = []
    for label in np.unique(known):
        rows = draw.permutation(np.flatnonzero(known == label))
        chosen += rows[: int(len(rows) * share)].tolist()
    if len(chosen) < enough * share / 2:
        return everything, everything[:0]
    held = np.array(sorted(chosen), np.int64)
    return np.setdiff1d(everything, held), held
