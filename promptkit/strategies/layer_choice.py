"""Which layers, which pooling, how much regularisation: chosen on held-out training rows.

A view (a pooling, and the layers that are read) is judged by the probability that a strongly
regularised logistic regression gives to the right label of held-out rows. Accuracy counts rows,
and is too coarse where there are a hundred; the log-probability is ruled by the few rows that are
worst. With few rows even that is mostly noise, and the best of many views is the luckiest one. So
the last layers and the model's usual pooling stand unless another view is better by more than one
standard error of the difference (Breiman et al. 1984), and views are blocks of adjacent layers,
which are fewer than layers and lose little where the best one is missed by one.

The regularisation of the chosen view is, for logistic regression, the strongest whose mean
log-probability is within one standard error of the best; for the other classifiers, whose
probabilities say little, the strongest of those with the best accuracy. docs/log.md has figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promptkit.strategies.feature_heads import fit_head, grid_of, usual_strength
from promptkit.strategies.folds import folds
from promptkit.strategies.linear_heads import logistic

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

PARTS = 5
#: The penalty's weight while views are compared.
SEARCH_STRENGTH = 0.65
#: How far those fits go: they are many, and are only compared.
SEARCH_TOL = 1e-3
#: Rows that a choice is made on at most; the fit itself takes all rows.
CHOSEN_ON = 1000


@dataclass(frozen=True)
class View:
    """What is read of a text.

    Args:
        pooling: How a layer's states become one vector.
        layers: Places of the layers, from 0 (embedding); side by side where there are several.
    """

    pooling: str
    layers: tuple[int, ...]


def best_view(
    views: Sequence[View], features: Sequence[Floats], targets: Places, seed: int
) -> tuple[View, dict[View, float]]:
    """The view with the latest layers of those that are within one standard error of the best.

    Of several that end with the same layer it is the one that stands first. Where no row can be
    held out, since every label has one row, all are as good.

    Args:
        views: What to choose among.
        features: (n, w) scaled features of each view.
        targets: (n,) from 0 to s - 1.
        seed: Which row is held out when.

    Returns:
        The view, and each view's mean probability of the right label; empty where nothing could be
        held out.
    """
    dealt = list(folds(targets, PARTS, seed))
    if not dealt:
        return max(views, key=lambda view: view.layers[-1]), {}
    told = {
        view: _held_out(narrowed(own), targets, dealt)
        for view, own in zip(views, features, strict=True)
    }
    best = told[max(views, key=lambda view: float(told[view].mean()))]
    good = [view for view in views if _as_good(told[view], best)]
    chosen = max(good, key=lambda view: view.layers[-1])
    return chosen, {view: float(found.mean()) for view, found in told.items()}


def _held_out(features: Floats, targets: Places, dealt: Sequence[tuple[Places, Places]]) -> Floats:
    """(n,) the probability of each held-out row's own label."""
    found = []
    for inside, outside in dealt:
        seen, dense = np.unique(targets[inside], return_inverse=True)
        if len(seen) == 1:
            found.append(np.ones(len(outside)))
            continue
        head = logistic(features[inside], dense, SEARCH_STRENGTH, SEARCH_TOL)
        found.append(np.exp(_of_gold(head.log_p(features[outside]), seen, targets[outside])))
    return np.concatenate(found)


def best_strength(
    classifier: str, features: Floats, targets: Places, seed: int
) -> tuple[float, dict[float, float]]:
    """The regularisation for held-out rows: the strongest of those that are as good as the best.

    Args:
        classifier: One of `promptkit.strategies.feature_heads.CLASSIFIERS`.
        features: (n, w) scaled.
        targets: (n,) from 0 to s - 1.
        seed: Which row is held out when.

    Returns:
        It, and what was found for each; empty where nothing could be held out.
    """
    grid = list(grid_of(classifier))
    dealt = list(folds(targets, PARTS, seed))
    if not dealt or len(grid) == 1:
        return usual_strength(classifier), {}
    narrow = features if classifier == "knn" else narrowed(features)
    told = {
        strength: np.concatenate(
            [_judged(classifier, narrow, targets, strength, *places) for places in dealt]
        )
        for strength in grid
    }
    best = told[max(grid, key=lambda strength: float(told[strength].mean()))]
    margin = 1.0 if classifier == "logistic" else 0.0
    chosen = next(strength for strength in grid if _as_good(told[strength], best, margin))
    return chosen, {strength: float(found.mean()) for strength, found in told.items()}


def narrowed(features: Floats) -> Floats:
    """(n, r) with the same products between rows: no wider than there are rows.

    A classifier with a squared penalty depends on these products alone, so that a search over
    wide models costs what their number of rows asks for.
    """
    n, w = features.shape
    if w <= n:
        return features
    values, vectors = np.linalg.eigh(features @ features.T)
    kept = values > values[-1] * 1e-12
    narrow: Floats = vectors[:, kept] * np.sqrt(values[kept])
    return narrow if kept.any() else features


def _judged(
    classifier: str,
    features: Floats,
    targets: Places,
    strength: float,
    inside: Places,
    outside: Places,
) -> Floats:
    """How well each held-out row is told."""
    seen, dense = np.unique(targets[inside], return_inverse=True)
    log_p = fit_head(classifier, features[inside], dense, strength).log_p(features[outside])
    if classifier == "logistic":
        return _of_gold(log_p, seen, targets[outside])
    right: Floats = (seen[log_p.argmax(axis=1)] == targets[outside]).astype(np.float64)
    return right


def _as_good(found: Floats, best: Floats, margin: float = 1.0) -> bool:
    """Whether rows are told no worse than by the best, but for so many standard errors."""
    behind = best - found
    error = margin * behind.std() / np.sqrt(len(behind))
    return bool(behind.mean() <= error + 1e-12)


def _of_gold(log_p: Floats, seen: Places, targets: Places) -> Floats:
    """(n,) log-probability of each row's own label."""
    own: Floats = log_p[np.arange(len(targets)), np.searchsorted(seen, targets)]
    return own
