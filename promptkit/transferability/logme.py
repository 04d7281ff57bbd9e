"""LogME: how well a Bayesian linear model explains the labels by the features (You et al. 2021)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

#: Rounds of the fixed point at most, and the relative change at which it stands.
ROUNDS, STANDS = 100, 1e-6
_TINY = 1e-12


def logme(features: Floats, targets: Places) -> float:
    """Logarithm of the maximum evidence, in nats a row, in the mean over the labels.

    Each label against the others is a regression on 0 and 1 with a Gaussian prior on the weights;
    the precisions of the prior and of the noise are those at which the evidence is highest, found
    by the fixed point of You et al. (2022). Rotating the features or multiplying them by a number
    changes nothing.

    Other than in the paper the regression has an intercept: the label's mean is taken out. With few
    rows the noise would else have to explain that mean, and all layers look alike: over 15 draws
    of 64 to 770 rows the layer ranked first lost 8.8 points to the best one, with it 1.9
    (docs/log.md).

    Args:
        features: (n, w).
        targets: (n,) from 0 to s - 1.
    """
    directions, size, _ = np.linalg.svd(features, full_matrices=False)
    variances = size**2
    return float(
        np.mean(
            [
                evidence(directions, variances, features.shape[1], wanted - wanted.mean())
                for label in range(int(targets.max()) + 1)
                for wanted in [(targets == label).astype(float)]
            ]
        )
    )


def evidence(directions: Floats, variances: Floats, width: int, wanted: Floats) -> float:
    """Logarithm of the maximum evidence of one regression, in nats a row.

    Args:
        directions: (n, k) left singular vectors of the features.
        variances: (k,) squared singular values.
        width: How many features there are; those beyond k are 0.
        wanted: (n,) what is explained.
    """
    n = len(wanted)
    there = variances > _TINY * max(float(variances.max()), _TINY)
    directions, variances = directions[:, there], variances[there]
    told = (directions.T @ wanted) ** 2
    untold = max(float(wanted @ wanted - told.sum()), 0.0)
    prior, noise = 1.0, 1.0
    for _ in range(ROUNDS):
        ratio = prior / noise
        used = float((variances / (variances + ratio)).sum())
        weights = float((variances * told / (variances + ratio) ** 2).sum())
        rest = float((told * (ratio / (variances + ratio)) ** 2).sum()) + untold
        prior, noise = max(used, _TINY) / (weights + _TINY), (n - used) / (rest + _TINY)
        if abs(prior / noise - ratio) <= STANDS * ratio:
            break
    ratio = prior / noise
    weights = float((variances * told / (variances + ratio) ** 2).sum())
    rest = float((told * (ratio / (variances + ratio)) ** 2).sum()) + untold
    found = width * np.log(prior) + n * np.log(noise / (2 * np.pi))
    found -= np.log(prior + noise * variances).sum() + (width - len(variances)) * np.log(prior)
    return float(found - noise * rest - prior * weights) / (2 * n)
