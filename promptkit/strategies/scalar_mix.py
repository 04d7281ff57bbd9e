"""A trained mean of layers (Peters et al. 2018): weights with the sum one, and a classifier.

The factor that the paper puts before the mean is left out: the classifier's own weights hold it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from promptkit.strategies.linear_heads import log_softmax

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
#: Steps of the optimiser at most; the weights of a dozen layers need no more.
STEPS = 200


def mix_weights(states: Floats, targets: Places, strength: float) -> Floats:
    """(m,) weights of m layers, above 0, with the sum 1.

    A softmax over layers and a multinomial logistic regression are fitted together by L-BFGS from
    equal weights, under a squared penalty on the regression's weights.

    Args:
        states: (n, m, w) scaled features of each layer.
        targets: (n,) from 0 to s - 1.
        strength: Weight of the penalty, as in `promptkit.strategies.linear_heads.logistic`.
    """
    from scipy.optimize import minimize

    n, m, w = states.shape
    s = int(targets.max()) + 1
    gold = np.eye(s)[targets]

    def loss(flat: Floats) -> tuple[float, Floats]:
        mix, weights, bias = softmax(flat[:m]), flat[m : m + s * w].reshape(s, w), flat[-s:]
        mixed = np.tensordot(states, mix, axes=(1, 0))
        log_p = log_softmax(mixed @ weights.T + bias)
        value = -(gold * log_p).sum() + strength / 2 * (weights**2).sum()
        beside = np.exp(log_p) - gold
        of_mix = np.einsum("nmw,nw->m", states, beside @ weights, optimize=True)
        gradient = [
            mix * (of_mix - mix @ of_mix),
            (beside.T @ mixed + strength * weights).ravel(),
            beside.sum(axis=0),
        ]
        return value / n, np.concatenate(gradient) / n

    start = np.zeros(m + s * w + s)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    return softmax(found.x[:m])


def softmax(scores: Floats) -> Floats:
    """(m,) above 0, with the sum 1."""
    shifted = np.exp(scores - scores.max())
    weights: Floats = shifted / shifted.sum()
    return weights
