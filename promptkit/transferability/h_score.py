"""H-score: variance between labels, in units of the features' own (Bao et al. 2019)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


def h_score(features: Floats, targets: Places) -> float:
    """Trace of the inverse covariance times the covariance of the labels' means; 0 or more.

    The covariance is shrunk as Ledoit and Wolf (2004) say, without which it cannot be inverted
    where there are fewer rows than features, and the labels' share is shrunk along (Ibrahim et al.
    2022). Rotating the features, or multiplying them by a number, changes nothing.

    Args:
        features: (n, w).
        targets: (n,) from 0 to s - 1.
    """
    from sklearn.covariance import ledoit_wolf

    centred = features - features.mean(axis=0)
    shrunk, shrinkage = ledoit_wolf(centred, assume_centered=True)
    labels = int(targets.max()) + 1
    means = np.stack([centred[targets == label].mean(axis=0) for label in range(labels)])
    shares = np.bincount(targets, minlength=labels) / len(targets)
    # no inverse is formed: the trace is a sum over the labels' means
    solved = np.linalg.lstsq(shrunk, means.T, rcond=None)[0]
    return float((1 - shrinkage) * (shares * (means.T * solved).sum(axis=0)).sum())
