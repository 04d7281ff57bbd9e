"""Nearest neighbours among the training rows' features, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Neighbours:
    """The labels of the nearest training rows, the nearer ones with more weight.

    A neighbour at distance d has exp(-d²) votes, so that two labels are hardly ever even. One
    further vote is shared by all labels: none is impossible because no neighbour has it.

    Args:
        features: (n, w) of the training rows.
        targets: (n,) from 0 to s - 1.
        n: Neighbours that vote.
    """

    features: Floats
    targets: Places
    n: int

    def log_p(self, features: Floats) -> Floats:
        """(n, s) normalised log-probabilities."""
        from sklearn.neighbors import NearestNeighbors

        own = NearestNeighbors(n_neighbors=min(self.n, len(self.targets)), algorithm="brute")
        far, near = own.fit(self.features).kneighbors(features)
        s = int(self.targets.max()) + 1
        # the nearest one's distance is taken off: far from all rows, the votes keep their order
        weights = np.exp(far[:, :1] ** 2 - far**2)
        votes = np.full((len(features), s), 1 / s)
        rows = np.broadcast_to(np.arange(len(features))[:, None], near.shape)
        np.add.at(votes, (rows, self.targets[near]), weights)
        logs: Floats = np.log(votes / votes.sum(axis=1, keepdims=True))
        return logs

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What has to be kept."""
        return {"features": self.features, "targets": self.targets, "n": np.array([self.n])}
