"""How much a model does not know about a row, from what it says of the row alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


def margin(p: Floats) -> Floats:
    """(n,) one minus the distance between the two most probable labels: 1 is a tie, 0 certain.

    Args:
        p: (n, k) probabilities.
    """
    if p.shape[1] < 2:
        return np.zeros(len(p))
    ordered = np.sort(p, axis=1)
    close: Floats = 1 - (ordered[:, -1] - ordered[:, -2])
    return close


def variance(p: Floats) -> Floats:
    """(n,) what a draw of the label varies by: one minus the sum of squared probabilities.

    Args:
        p: (n, k) probabilities.
    """
    left: Floats = 1 - (p**2).sum(axis=1)
    return left.clip(0)


def entropy(p: Floats) -> Floats:
    """(n,) in nats.

    Args:
        p: (n, k) probabilities; of a 0 nothing comes.
    """
    log_p = np.log(p, out=np.zeros_like(p), where=p > 0)
    found: Floats = -(p * log_p).sum(axis=1)
    return found


def disagreement(members: Sequence[Floats]) -> Floats:
    """(n,) Jensen-Shannon divergence of several models, in nats: 0 where they say the same.

    It is the entropy of their mean less the mean of their entropies: what is unsure because they
    contradict each other, and not what each of them finds unsure (query by committee; McCallum &
    Nigam 1998).

    Args:
        members: Of each model (n, k) probabilities.
    """
    mean = np.mean(members, axis=0)
    apart: Floats = entropy(mean) - np.mean([entropy(p) for p in members], axis=0)
    return apart.clip(0)


def highest(worth: Floats, n: int) -> Places:
    """Places of the n highest values, the highest first; of equal ones the earlier.

    Values are compared to nine decimals: what differs in the last bits must not decide an order.
    """
    return np.argsort(-np.round(worth, 9), kind="stable")[:n].astype(np.int64)
