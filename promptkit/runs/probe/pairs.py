"""Minimal pairs: does a model find the right sentence more probable, and do its layers know?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from promptkit.backends.likelihood import TextLikelihood
from promptkit.runs.probe.nouns import MinimalPair
from promptkit.strategies.linear_heads import one_thread
from promptkit.types import Piece

PARTS = 5
#: Weight of the squared penalty of a probe on a difference of standardised states.
PENALTY = 10.0


def preferred(model: TextLikelihood, pairs: Sequence[MinimalPair]) -> NDArray[np.bool_]:
    """(n,) where the right sentence has the higher (pseudo-)log-likelihood (Warstadt et al. 2020).

    Sums, not means: the sentences of a pair are of about one length.

    Args:
        model: A causal or a masked language model.
        pairs: The pairs.
    """
    texts = [(Piece(text, row=True),) for one in pairs for text in (one.good, one.bad)]
    nats = np.array([one.nats for one in model.of(texts)]).reshape(-1, 2)
    found: NDArray[np.bool_] = nats[:, 0] > nats[:, 1]
    return found


def told_by_layers(
    good: NDArray[np.float32], bad: NDArray[np.float32], paradigms: Sequence[str]
) -> NDArray[np.bool_]:
    """(n, l) where a linear probe on a layer tells the right sentence.

    It learns a direction along which right sentences lie further than wrong ones, from other
    paradigms than the one that it is tried on where there are several: so that it tells what is
    right, and not what one paradigm's right sentences look like.

    Args:
        good: (n, l, w) states of the right sentences.
        bad: (n, l, w) of the wrong ones.
        paradigms: (n,) of each pair.
    """
    names = sorted(set(paradigms))
    if len(names) > 1:
        place = {name: at % PARTS for at, name in enumerate(names)}
        parts = np.array([place[name] for name in paradigms])
    else:
        parts = np.arange(len(paradigms)) % PARTS
    differences = np.asarray(good - bad, np.float64)
    scale = differences.std(axis=0)
    differences /= np.where(scale > 0, scale, 1)
    found = np.zeros(differences.shape[:2], bool)
    with one_thread():
        for layer in range(differences.shape[1]):
            for part in np.unique(parts):
                own = differences[parts != part, layer]
                direction = _direction(own)
                found[parts == part, layer] = differences[parts == part, layer] @ direction > 0
    return found


def _direction(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """(w,) of logistic regression through the origin, every difference being a right one."""
    from scipy.optimize import minimize

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margins = differences @ weights
        value = np.logaddexp(0, -margins).sum() + PENALTY / 2 * float(weights @ weights)
        gradient = -differences.T @ (1 / (1 + np.exp(np.clip(margins, -50, 50))))
        return float(value), gradient + PENALTY * weights

    start = np.zeros(differences.shape[1])
    found: NDArray[np.float64] = minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}
    ).x
    return found
