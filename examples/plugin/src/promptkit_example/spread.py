"""A score of features: how far the labels' means lie apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from promptkit.transferability import Score


def spread(features: NDArray[np.float64], targets: NDArray[np.int64]) -> float:
    """The mean squared distance of the labels' means from the mean of all, by label."""
    means = np.array([features[targets == label].mean(axis=0) for label in np.unique(targets)])
    return float(((means - features.mean(axis=0)) ** 2).sum(axis=1).mean())


SPREAD = Score(spread, "spread", "squared distance", "promptkit-example")
