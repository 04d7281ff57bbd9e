"""Rows of log-probabilities, normalised."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def normalised(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, k) with rows whose exponentials sum to one; a row must hold a finite value."""
    values = np.asarray(log_p, np.float64)
    below = values - values.max(axis=1, keepdims=True)  # exp neither overflows nor loses all
    found: NDArray[np.float64] = below - np.log(np.exp(below).sum(axis=1, keepdims=True))
    return found
