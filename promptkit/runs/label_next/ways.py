"""Ways of choosing the rows to label: from what models say of a pool to places in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import SpecError
from promptkit.runs.adapt import IN_CONTEXT
from promptkit.runs.label_next.acquisition import disagreement, highest, margin, variance
from promptkit.runs.label_next.draws import balanced, chance_order
from promptkit.runs.label_next.information import informative
from promptkit.runs.label_next.models import (
    Asked,
    committee,
    compared_by,
    embedded,
    probabilities,
)
from promptkit.runs.label_next.nouns import Request, Round
from promptkit.runs.label_next.spread import diverse, typical
from promptkit.types import Example

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
#: Ways whose time and memory grow with the square of the rows, and how many they look at.
SQUARE, LOOKED_AT = ("informative", "typical"), 4000
#: Ways for which a model must know the labels.
ASKING = ("balanced", "margin", "committee", "diverse")


@dataclass(frozen=True)
class Picked:
    """Rows of the pool, the most valuable first.

    Args:
        places: (n,) in the pool.
        members: Whose votes were compared, where that was the way.
    """

    places: Places
    members: tuple[Asked, ...] = ()


def resolved(request: Request, asked: Asked | None) -> str:
    """The way that is gone, where it was left open.

    Raises:
        SpecError: A way that needs labels, and none are known.
    """
    if request.by == "auto":
        if asked is None:
            return "random"
        return "balanced" if asked.name == IN_CONTEXT else "informative"
    if request.by in ASKING and asked is None:
        raise SpecError(
            f"--by {request.by} asks a model about labels, and none are known; name them with "
            "--labels a,b,c, give labelled rows, or choose --by typical"
        )
    return request.by


def looked_at(by: str, round_: Round, request: Request) -> Places:
    """Places of the rows of the pool that a way looks at: all, or a draw by their ids."""
    if by not in SQUARE or len(round_.pool) <= LOOKED_AT:
        return np.arange(len(round_.pool))
    return np.sort(chance_order(round_.pool, request.seed)[:LOOKED_AT])


def pick(by: str, asked: Asked | None, round_: Round, request: Request) -> Picked:
    """The rows to label.

    Args:
        by: One of `nouns.WAYS`, resolved.
        asked: What a model says of the pool.
        round_: The rows.
        request: How many, and the seed.
    """
    n = request.n
    if by == "random":
        return Picked(chance_order(round_.pool, request.seed)[:n])
    kept = looked_at(by, round_, request)
    rows = [*round_.labelled, *(round_.pool[place] for place in kept)]
    if by == "typical":
        places, _ = typical(embedded(rows, round_, request), n, request.seed, len(round_.labelled))
        return Picked(kept[places])
    if by == "informative":
        return Picked(kept[_informative(asked, rows, kept, round_, request)])
    assert asked is not None
    if by == "balanced":
        order = chance_order(round_.pool, request.seed)
        return Picked(balanced(order, asked.pool.argmax(axis=1), n))
    if by == "committee":
        members = tuple(committee(asked, round_, request))
        return Picked(highest(disagreement([one.pool for one in members]), n), members)
    worth = margin(asked.pool)
    if by == "diverse":
        return Picked(diverse(embedded(round_.pool, round_, request), worth, n, request.seed))
    return Picked(highest(worth, n))


def _informative(
    asked: Asked | None,
    rows: Sequence[Example],
    kept: Places,
    round_: Round,
    request: Request,
) -> Places:
    """Places among the rows that are looked at."""
    labelled = len(round_.labelled)
    features, penalty = compared_by(asked, rows, round_, request)
    spread = np.full(len(rows), 0.5)  # of two labels that are as probable
    if asked is not None:
        k = asked.pool.shape[1]
        own = probabilities(asked.strategy, round_.labelled, k)
        spread = variance(np.concatenate([own, asked.pool[kept]]))
    return informative(features, spread, request.n, penalty, labelled)[0]
