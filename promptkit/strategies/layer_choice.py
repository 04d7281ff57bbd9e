"""Which layers, which pooling, how much regularisation: chosen on held-out training rows.

A view (a pooling, and the layers that are read) is judged by the log-probability that a strongly
regularised logistic regression gives to the right label of held-out rows: accuracy counts rows, and
is too coarse where there are a hundred. With few rows even that is mostly noise, and the best of
many views is the luckiest one. So the last layers and the model's usual pooling stand unless
another view is better by more than two standard errors of the difference; and views are blocks of
adjacent layers, which are fewer than layers and lose little where the best one is missed by one.
The last layer alone is a view too: for many labels that differ in what a text is about it is what
an encoder was trained for, and layers beside it do harm. With ``auto`` LogME proposes a few of
these views in one pass, and held-out rows choose among them and the last layers in the same way.

The regularisation of the chosen view is, for logistic regression, the strongest whose mean
log-probability is within one standard error of the best; for the other classifiers, whose
probabilities say little, the strongest of those with the best accuracy (the rule of one standard
error is that of Breiman et al. 1984). docs/log.md has figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promptkit.strategies.feature_heads import fit_head, grid_of, usual_strength
from promptkit.strategies.folds import folds
from promptkit.strategies.linear_heads import logistic
from promptkit.transferability import prepared
from promptkit.transferability.logme import logme

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

PARTS = 5
#: Standard errors by which another view must be better than the last layers.
VIEW_MARGIN = 2.0
#: The penalty's weight while views are compared: for a few labels, and for more than `MANY`, whose
#: rows are too few for a strong one to leave anything of them.
SEARCH_STRENGTH, SEARCH_STRENGTH_MANY = 0.65, 0.04
MANY = 20
#: How far those fits go: they are many, and are only compared.
SEARCH_TOL = 1e-3
#: Views that LogME proposes, for held-out rows to confirm one of them.
PROPOSED = 3
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
    views: Sequence[View],
    features: Sequence[Floats],
    targets: Places,
    seed: int,
    tried: int | None = None,
) -> tuple[View, dict[View, float]]:
    """The view with the latest layers of those that are within two standard errors of the best.

    Of several that end with the same layer it is the one that stands first. Where no row can be
    held out, since every label has one row, it is the last layer alone.

    Args:
        views: What to choose among.
        features: (n, w) scaled features of each view.
        targets: (n,) from 0 to s - 1.
        seed: Which row is held out when.
        tried: How many rows are ever held out, from the first; None: all.

    Returns:
        The view, and each view's mean log-probability of the right label; empty where nothing could
        be held out.
    """
    dealt = list(folds(targets, PARTS, seed, tried))
    if not dealt:
        return max(views, key=lambda view: (view.layers[-1], -len(view.layers))), {}
    told = {
        view: _held_out(narrowed(own), targets, dealt)
        for view, own in zip(views, features, strict=True)
    }
    best = told[max(views, key=lambda view: float(told[view].mean()))]
    good = [view for view in views if _as_good(told[view], best, VIEW_MARGIN)]
    chosen = max(good, key=lambda view: view.layers[-1])
    return chosen, {view: float(found.mean()) for view, found in told.items()}


def proposed(views: Sequence[View], features: Sequence[Floats], targets: Places) -> list[View]:
    """The last layers, which stand unless another view is better, and those that LogME proposes.

    Scores of different poolings are compared too: all are of one model.

    Args:
        views: What to choose among.
        features: (n, w) scaled features of each view.
        targets: (n,) from 0 to s - 1.
    """
    if targets.max() == 0:
        return list(views)
    said = [logme(prepared(own), targets) for own in features]
    order = sorted(range(len(views)), key=lambda place: -said[place])
    usual = max(range(len(views)), key=lambda at: (views[at].layers[-1], -at))
    return [views[place] for place in dict.fromkeys([usual, *order[:PROPOSED]])]


def _held_out(features: Floats, targets: Places, dealt: Sequence[tuple[Places, Places]]) -> Floats:
    """(n,) the log-probability of each held-out row's own label."""
    found = []
    for inside, outside in dealt:
        seen, dense = np.unique(targets[inside], return_inverse=True)
        if len(seen) == 1:
            found.append(np.zeros(len(outside)))
            continue
        strength = SEARCH_STRENGTH if len(seen) <= MANY else SEARCH_STRENGTH_MANY
        head = logistic(features[inside], dense, strength, SEARCH_TOL)
        found.append(_of_gold(head.log_p(features[outside]), seen, targets[outside]))
    return np.concatenate(found)


def best_strength(
    classifier: str, features: Floats, targets: Places, seed: int, tried: int | None = None
) -> tuple[float, dict[float, float]]:
    """The regularisation for held-out rows: the strongest of those that are as good as the best.

    Args:
        classifier: One of `promptkit.strategies.feature_heads.CLASSIFIERS`.
        features: (n, w) scaled.
        targets: (n,) from 0 to s - 1.
        seed: Which row is held out when.
        tried: How many rows are ever held out, from the first; None: all.

    Returns:
        It, and what was found for each; empty where nothing could be held out.
    """
    grid = list(grid_of(classifier))
    dealt = list(folds(targets, PARTS, seed, tried))
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


def _as_good(found: Floats, best: Floats, margin: float) -> bool:
    """Whether rows are told no worse than by the best, but for so many standard errors."""
    behind = best - found
    error = margin * behind.std() / np.sqrt(len(behind))
    return bool(behind.mean() <= error + 1e-12)


def _of_gold(log_p: Floats, seen: Places, targets: Places) -> Floats:
    """(n,) log-probability of each row's own label."""
    own: Floats = log_p[np.arange(len(targets)), np.searchsorted(seen, targets)]
    return own
