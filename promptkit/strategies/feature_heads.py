"""Classifiers on frozen features by name: fitted, kept as arrays, taken up again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import SpecError, nearest
from promptkit.strategies.linear_heads import LINEAR, Linear, constant
from promptkit.strategies.neighbour_head import Neighbours

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

CLASSIFIERS = (*LINEAR, "knn")
#: Weights of the penalty that are tried, the strongest first: a row's features have about length 1.
STRENGTHS = (2.5, 0.65, 0.16, 0.04)
#: Neighbours that are tried, the most first.
NEIGHBOURS = (15.0, 9.0, 5.0, 3.0, 1.0)


class Head(Protocol):
    """A fitted classifier."""

    def log_p(self, features: Floats) -> Floats:
        """(n, s) normalised log-probabilities over the labels that training rows have."""
        ...

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What has to be kept."""
        ...


def check_classifier(name: str, strength: object) -> None:
    """Refuse a classifier or a regularisation that cannot be.

    Raises:
        SpecError: No such classifier, a number that is not above 0, or one where nothing is
            regularised.
    """
    if name not in CLASSIFIERS:
        raise SpecError(f"no classifier named {name!r}; {nearest(name, CLASSIFIERS)}")
    if strength == "choose":
        return
    if isinstance(strength, bool | str) or not isinstance(strength, int | float):
        raise SpecError(
            f"option 'regularisation' is {strength!r}; it must be 'choose' or a number above 0"
        )
    if not 0 < strength < float("inf"):
        raise SpecError(f"option 'regularisation' is {strength!r}; it must be above 0")
    if name == "centroid":
        raise SpecError("classifier 'centroid' has nothing to regularise; leave the option out")
    if name == "knn" and strength != int(strength):
        raise SpecError(
            f"option 'regularisation' is {strength!r}; for classifier 'knn' it is the number of "
            "neighbours, a whole number"
        )


def grid_of(name: str) -> Sequence[float]:
    """The regularisations that are tried for a classifier, from strong to weak."""
    if name == "knn":
        return NEIGHBOURS
    return (1.0,) if name == "centroid" else STRENGTHS


def usual_strength(name: str) -> float:
    """The regularisation where there is nothing to choose it on."""
    grid = grid_of(name)
    return grid[-1] if name == "knn" else grid[min(1, len(grid) - 1)]


def fit_head(name: str, features: Floats, targets: Places, strength: float) -> Head:
    """Fit a classifier.

    Args:
        name: One of CLASSIFIERS.
        features: (n, w).
        targets: (n,) from 0 to s - 1, each of them at least once.
        strength: Weight of the penalty; for ``knn`` the number of neighbours.
    """
    if targets.max() == 0:
        return constant(features.shape[1])
    if name == "knn":
        return Neighbours(features, targets, int(strength))
    return LINEAR[name](features, targets, strength)


def head_of(arrays: Mapping[str, NDArray[np.generic]]) -> Head:
    """The classifier whose arrays these are.

    Raises:
        KeyError: An array is missing.
    """
    if "n" in arrays:
        features, targets = np.asarray(arrays["features"], float), arrays["targets"]
        return Neighbours(features, np.asarray(targets, np.int64), int(arrays["n"][0]))
    return Linear(np.asarray(arrays["weights"], float), np.asarray(arrays["bias"], float))
