"""Rows whose labels would make a linear classifier surer of the whole pool.

Logistic regression with a squared penalty has, near its optimum, weights that are normally
distributed: the penalty is the prior's precision, and a row x whose label varies by v adds v x x'
to it (Laplace's approximation). So one can say before a row is labelled by how much its label would
lower the variance of every other row's score, and take the row that lowers it most where the
classifier is unsure: active learning by variance reduction (Cohn, Ghahramani & Jordan 1996), the
Fisher information ratio of Zhang & Oles (2000), in batches as Hoi et al. (2006) and Ash et al.
(2021) choose them. A row is worth more where it is unsure, where it is like many other unsure
rows, and where nothing like it was labelled or chosen yet.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


def informative(
    features: Floats, variance: Floats, n: int, penalty: float, labelled: int = 0
) -> tuple[Places, Floats]:
    """Rows to label, one after the other, each with those before it taken as labelled.

    Time and memory grow with the square of the number of rows.

    Args:
        features: (m, w) of the labelled rows, then of the pool.
        variance: (m,) how much each row's label varies, see `acquisition.variance`.
        n: How many rows of the pool are chosen.
        penalty: Weight of the classifier's squared penalty.
        labelled: How many rows from the first are labelled.

    Returns:
        (n,) places in the pool in the order found, and (n,) the share of the variance that was
        left, of all rows, that each takes away.
    """
    covariance = (features @ features.T) / penalty
    for place in range(labelled):
        _observe(covariance, place, variance[place])
    free = np.arange(len(features)) >= labelled
    chosen, shares = [], []
    for _ in range(min(n, int(free.sum()))):
        own = np.diagonal(covariance).copy()
        # (m,) sum over rows i of variance_i * covariance_ij ** 2
        reach = np.einsum("i,ij,ij->j", variance, covariance, covariance)
        gain = variance * reach / (1 + variance * own)
        total = float(variance @ own)
        # rounded, so that rows that differ in the last bits are taken in their order
        best = int(np.argmax(np.where(free, np.round(gain / max(total, 1e-300), 12), -1.0)))
        chosen.append(best - labelled)
        shares.append(gain[best] / total if total > 0 else 0.0)
        free[best] = False
        _observe(covariance, best, variance[best])
    return np.array(chosen, np.int64), np.array(shares)


def _observe(covariance: Floats, place: int, variance: float) -> None:
    """What is left of the covariance once a row's label is known."""
    column = covariance[:, place].copy()
    column_scale = variance / (1 + variance * column[place])
    covariance -= np.outer(column, column * column_scale)
