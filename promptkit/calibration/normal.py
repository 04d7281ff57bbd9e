"""Rows of log-probabilities: normalised, averaged, and freed of a prior."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import DataError


def normalised(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, k) with rows whose exponentials sum to one; a row must hold a finite value."""
    values = np.asarray(log_p, np.float64)
    below = values - values.max(axis=1, keepdims=True)  # exp neither overflows nor loses all
    found: NDArray[np.float64] = below - np.log(np.exp(below).sum(axis=1, keepdims=True))
    return found


def log_mean(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) the logarithm of the mean probability of each label over the rows."""
    with np.errstate(divide="ignore"):
        found: NDArray[np.float64] = np.log(np.exp(normalised(log_p)).mean(axis=0))
    return found


def without(log_p: NDArray[np.float64], log_prior: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, k) normalised, each divided by the prior of its label.

    A label that the prior gives no chance at all stays where a row has it.
    """
    taken = np.where(np.isneginf(log_prior), 0.0, log_prior)
    return normalised(np.asarray(log_p, np.float64) - taken)


def check_rows(n: int, least: int, name: str, what: str) -> None:
    """Fail on too few rows to learn from.

    Raises:
        DataError: Says how many are needed.
    """
    if n < least:
        raise DataError(
            f"{name} calibration needs {least} rows or more to see {what}, and has {n}; give more "
            "rows to learn from with --train-data or --calibration-rows"
        )
