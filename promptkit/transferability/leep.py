"""LEEP and NLEEP: how well classes that a model knows already foretell the labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

#: What of the variance NLEEP keeps, and components of its mixture for each label.
KEPT, PER_LABEL = 0.8, 5


def leep(known: Floats, targets: Places) -> float:
    """Mean log-probability of the labels, told from what the model says it sees; 0 at most.

    The label of a row is drawn by first drawing one of the model's own classes, and then a label
    as often as it came with that class (Nguyen et al. 2020).

    Args:
        known: (n, z) probabilities of the model's own classes.
        targets: (n,) from 0 to s - 1.
    """
    labels = int(targets.max()) + 1
    joint = np.stack([known[targets == label].sum(axis=0) for label in range(labels)])
    given = joint / np.maximum(joint.sum(axis=0), np.finfo(float).tiny)
    told = (known * given[targets]).sum(axis=1)
    return float(np.log(np.maximum(told, np.finfo(float).tiny)).mean())


def nleep(features: Floats, targets: Places, seed: int = 0) -> float:
    """LEEP over the components of a Gaussian mixture in place of classes (Li et al. 2021).

    The features are brought to the main directions that hold four fifths of their variance; the
    mixture has five components for each label, with diagonal covariances.

    Args:
        features: (n, w).
        targets: (n,) from 0 to s - 1.
        seed: Where the mixture starts.
    """
    from sklearn.mixture import GaussianMixture

    n, labels = len(targets), int(targets.max()) + 1
    centred = features - features.mean(axis=0)
    directions, size, _ = np.linalg.svd(centred, full_matrices=False)
    share = np.cumsum(size**2) / max(float((size**2).sum()), np.finfo(float).tiny)
    kept = int(np.searchsorted(share, KEPT)) + 1
    # in units of the largest direction, so that the mixture's own floor means the same everywhere
    reduced = directions[:, :kept] * size[:kept] * np.sqrt(n) / max(size[0], 1e-300)
    distinct = len(np.unique(reduced.round(9), axis=0))
    mixture = GaussianMixture(
        max(min(PER_LABEL * labels, n // 2, distinct), 1),
        covariance_type="diag", reg_covar=1e-3, random_state=seed,
    )  # fmt: skip
    return leep(mixture.fit(reduced).predict_proba(reduced), targets)
