"""How much a row of each label counts in the loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from promptkit.errors import SpecError, nearest

CLASS_WEIGHTS = ("none", "balanced")


def weights_of(targets: ArrayLike, k: int, how: str) -> list[float] | None:
    """(k,) weights: None for ``none``; ``balanced`` lets every label count alike in sum.

    Args:
        targets: (n,) places of the rows' labels; every one of the k occurs.
        k: Labels.
        how: One of CLASS_WEIGHTS.

    Raises:
        SpecError: No such way.
    """
    if how not in CLASS_WEIGHTS:
        raise SpecError(f"option 'class_weights' is {how!r}; {nearest(how, CLASS_WEIGHTS)}")
    if how == "none":
        return None
    counts = np.bincount(np.asarray(targets), minlength=k)
    return [float(weight) for weight in counts.sum() / (k * counts)]
