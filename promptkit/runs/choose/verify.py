"""Trained probes on the leading views: what the scores said, put to the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from promptkit.runs.choose.nouns import Verified, View
from promptkit.strategies.feature_heads import fit_head
from promptkit.strategies.folds import folds
from promptkit.strategies.layer_choice import MANY, SEARCH_STRENGTH, SEARCH_STRENGTH_MANY, narrowed
from promptkit.strategies.scaling import Scaling

Places = NDArray[np.int64]
PARTS = 5
#: Views that probes are trained on: the first of every score's order, then those between.
LEADERS = 24


def verify(
    views: Sequence[View],
    states: Mapping[tuple[str, int, str], NDArray[np.float32]],
    targets: Places,
    seed: int,
) -> tuple[list[View], tuple[Verified, ...]]:
    """Train probes, and say how well each score foretold them.

    Args:
        views: All views, the most promising first.
        states: (n, w) features of each, by model, layer and pooling.
        targets: (n,) labels as numbers.
        seed: Which row is held out when.

    Returns:
        The views, those with a probe knowing its accuracy; and each score's record.
    """
    names = list(views[0].scores)
    tried = chosen_to_verify(views, names)
    known = {
        place: probe_accuracy(
            states[views[place].model, views[place].layer, views[place].pooling], targets, seed
        )
        for place in tried
    }
    made = [replace(view, verified=known.get(place)) for place, view in enumerate(views)]
    return made, tuple(_record(name, [made[place] for place in tried]) for name in names)


def chosen_to_verify(views: Sequence[View], names: Sequence[str]) -> list[int]:
    """Places of the views on which probes are trained: all, or the leaders and some of the rest."""
    if len(views) <= LEADERS:
        return list(range(len(views)))
    first = {max(range(len(views)), key=lambda i: views[i].scores.get(name, -np.inf))
             for name in names}  # fmt: skip
    # a correlation over leaders alone would say nothing of the others
    spread = np.linspace(0, len(views) - 1, LEADERS - len(first)).round().astype(int)
    return sorted(first | set(spread.tolist()))


def probe_accuracy(features: NDArray[np.float32], targets: Places, seed: int) -> float:
    """Accuracy of logistic regression in five parts, each told by the other four.

    Args:
        features: (n, w).
        targets: (n,) from 0 to s - 1.
        seed: Which row is held out when.
    """
    many = len(np.unique(targets)) > MANY
    strength = SEARCH_STRENGTH_MANY if many else SEARCH_STRENGTH
    states = features[:, None]
    scaled = narrowed(np.asarray(Scaling().fit(states).apply(states)[:, 0], np.float64))
    right = []
    for inside, outside in folds(targets, PARTS, seed):
        seen, dense = np.unique(targets[inside], return_inverse=True)
        head = fit_head("logistic", scaled[inside], dense, strength)
        right.append(seen[head.log_p(scaled[outside]).argmax(axis=1)] == targets[outside])
    return float(np.concatenate(right).mean()) if right else 0.0


def _record(name: str, views: Sequence[View]) -> Verified:
    from scipy.stats import spearmanr

    own = [view for view in views if name in view.scores]
    said = [view.scores[name] for view in own]
    came = [float(view.verified or 0) for view in own]
    told = len(set(said)) > 1 and len(set(came)) > 1
    first = max(own, key=lambda view: view.scores[name])
    best = max(float(view.verified or 0) for view in views)
    return Verified(
        name,
        float(spearmanr(said, came)[0]) if told else None,
        100 * (best - float(first.verified or 0)),
    )
