"""The order of fixed demonstrations under which a model's answers are most even (Lu et al., 2022).

A bad order makes a model answer one label whatever it reads. That can be seen without any label:
the model is asked about some probing rows under each of several orders, and the order is taken
under which its answers vary most. Here stands what needs no model; who asks one hands in what it
said.

As probing rows serve training texts, their labels unread, where the paper lets the model write its
own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations
from math import factorial

import numpy as np
from numpy.typing import NDArray

from promptkit.chance import ranker
from promptkit.errors import DataError
from promptkit.types import Example

#: Orders that are tried: all of four shots, as in the paper, or so many drawn ones.
AT_MOST = 24
#: Given shots in the order of a prompt, and probing rows: (n, k) log-probabilities of the labels,
#: NaN in all k where a row could not be scored.
LogPOf = Callable[[Sequence[Example], Sequence[Example]], NDArray[np.float64]]


def arranged_by(
    entropy: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    shots: Sequence[Example],
    rows: Sequence[Example],
    log_p_of: LogPOf,
    seed: int = 0,
    at_most: int = AT_MOST,
) -> list[Example]:
    """The shots in the order of greatest entropy; of several, the one that was tried first.

    Args:
        entropy: `global_entropy` or `local_entropy`.
        shots: The demonstrations that every query is shown.
        rows: Probing rows, none of which is a shot or a copy of one.
        log_p_of: Asks the model.
        seed: Seed of the orders that are tried.
        at_most: How many are tried.

    Raises:
        DataError: No row was scored under every order.
    """
    tried = [[shots[place] for place in order] for order in orders_to_try(shots, seed, at_most)]
    if len(tried) == 1:
        return tried[0]
    log_p = np.stack([log_p_of(order, rows) for order in tried])
    scored = ~np.isnan(log_p).any(axis=(0, 2))
    if not scored.any():
        raise DataError(
            f"of {len(rows)} probing rows none could be scored under all {len(tried)} orders of "
            f"the {len(shots)} demonstrations; show fewer, or use --order as_selected"
        )
    return tried[best_of(entropy(log_p[:, scored]))]


def orders_to_try(
    shots: Sequence[Example], seed: int = 0, at_most: int = AT_MOST
) -> list[tuple[int, ...]]:
    """Permutations of the places of the shots: all that there are, or so many drawn ones.

    A drawn order hangs on the seed, its number and the shots' ids. The order given comes first, so
    that nothing is rearranged unless something is gained.
    """
    given = tuple(range(len(shots)))
    if factorial(len(shots)) <= at_most:
        return list(permutations(given))
    places = {shot.id: place for place, shot in enumerate(shots)}
    found, number = {given: None}, 0
    while len(found) < at_most:
        names = sorted(places, key=ranker(seed, f"order {number}"))
        found[tuple(places[name] for name in names)] = None
        number += 1
    return list(found)


def global_entropy(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """(o,) nats: entropy of how often each label is the most probable one, over the rows.

    Labels that tie share their row.

    Args:
        log_p: (o, n, k) log-probabilities under each order, of each row, up to a constant a row.
    """
    highest = log_p == log_p.max(axis=2, keepdims=True)
    shares = (highest / highest.sum(axis=2, keepdims=True)).mean(axis=1)
    return _entropy(shares)


def local_entropy(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """(o,) nats: mean over the rows of the entropy of the labels' probabilities.

    Args:
        log_p: (o, n, k) log-probabilities under each order, of each row, up to a constant a row.
    """
    p = np.exp(log_p - log_p.max(axis=2, keepdims=True))
    mean: NDArray[np.float64] = _entropy(p / p.sum(axis=2, keepdims=True)).mean(axis=1)
    return mean


def best_of(entropies: NDArray[np.float64]) -> int:
    """The place of the greatest one; of a tie but for rounding, the first."""
    return int(np.argmax(np.round(entropies, 9)))


def _entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over the last axis; what has no probability adds nothing."""
    logs = np.log(p, where=p > 0, out=np.zeros_like(p))
    entropy: NDArray[np.float64] = -(p * logs).sum(axis=-1)
    return entropy
