"""How far labels lie apart, by simple measures of which every one is a single pass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

#: Neighbours that vote, and rows whose similarities are in memory at once.
NEIGHBOURS, CHUNK = 5, 1024
#: Penalties that the probe chooses among, in parts of the mean variance of a direction.
PENALTIES = tuple(10.0**power for power in np.arange(-3, 2.1, 0.5))


def fisher(features: Floats, targets: Places) -> float:
    """Variance between the labels over the variance within them (Fisher 1936); 0 or more.

    Both are traces, so that no covariance is inverted.

    Args:
        features: (n, w).
        targets: (n,) from 0 to s - 1.
    """
    centred = features - features.mean(axis=0)
    labels = int(targets.max()) + 1
    means = np.stack([centred[targets == label].mean(axis=0) for label in range(labels)])
    counts = np.bincount(targets, minlength=labels)
    between = float((counts * (means**2).sum(axis=1)).sum())
    within = float((centred**2).sum()) - between
    return between / max(within, np.finfo(float).tiny)


def neighbours(features: Floats, targets: Places, k: int = NEIGHBOURS) -> float:
    """Share of rows whose label is that of most of their nearest others, by cosine.

    Of labels with as many votes it is the one whose votes are nearer.

    Args:
        features: (n, w).
        targets: (n,) from 0 to s - 1.
        k: How many others vote.
    """
    n, labels = len(targets), int(targets.max()) + 1
    length = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.where(length > 0, length, 1)
    k = min(k, n - 1)
    right = 0
    for start in range(0, n, CHUNK):
        own = np.arange(start, min(start + CHUNK, n))
        alike = unit[own] @ unit.T
        alike[np.arange(len(own)), own] = -np.inf  # no row votes for itself
        near = np.argpartition(-alike, k - 1, axis=1)[:, :k]
        votes = np.zeros((len(own), labels))
        weights = 1 + 1e-6 * np.take_along_axis(alike, near, axis=1)
        np.add.at(votes, (np.arange(len(own))[:, None], targets[near]), weights)
        right += int((votes.argmax(axis=1) == targets[own]).sum())
    return right / n


def ridge(features: Floats, targets: Places) -> float:
    """Share of rows that a linear probe tells which was fitted on all the others; see `left_out`.

    Args:
        features: (n, w).
        targets: (n,) from 0 to s - 1.
    """
    return float((left_out(features, targets) == targets).mean())


def left_out(features: Floats, targets: Places) -> Places:
    """(n,) each row's label as a linear probe tells it that was fitted on all the others.

    Ridge regression on 0 and 1, for which leaving each row out has a closed form (Allen 1974); the
    penalty is the one with the least squared error of the rows left out.

    Args:
        features: (n, w).
        targets: (n,) from 0 to s - 1.
    """
    n, labels = len(targets), int(targets.max()) + 1
    wanted = np.eye(labels)[targets]
    centred = features - features.mean(axis=0)
    mean = wanted.mean(axis=0)
    directions, size, _ = np.linalg.svd(centred, full_matrices=False)
    variances = size**2
    if not variances.max() > 0:  # nothing is told but the labels themselves
        return np.full(n, int(mean.argmax()))
    projected = directions.T @ (wanted - mean)
    least, best = np.inf, np.zeros(n, np.int64)
    for penalty in PENALTIES:
        shrunk = variances / (variances + penalty * max(float(variances.mean()), 1e-300))
        fitted = mean + directions @ (shrunk[:, None] * projected)
        own = ((directions**2) * shrunk).sum(axis=1) + 1 / n
        told = wanted - (wanted - fitted) / np.maximum(1 - own, 1e-9)[:, None]
        error = float(((told - wanted) ** 2).mean())
        if error < least:
            least, best = error, told.argmax(axis=1)
    return best
