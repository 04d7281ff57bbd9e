"""Why a row is worth a label, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from promptkit.runs.label_next.models import Asked
from promptkit.types import Scalar, Value

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
#: The share of the pool that is called unlike all that is labelled.
UNLIKE = 0.1
#: What the second label has at least where a row stands between two.
SECOND = 0.2
#: What members of a committee are called.
SPOKEN = {"features": "features", "tfidf": "words alone", "in_context": "zero-shot"}


def reasons(
    places: Places,
    asked: Asked | None,
    members: Sequence[Asked],
    labels: Sequence[Scalar],
    called: Callable[[Value | None], str],
    vectors: Floats,
    labelled: Floats,
) -> list[str]:
    """A sentence for each row.

    Args:
        places: Of the rows in the pool.
        asked: What a model says of the pool; None where nobody was asked.
        members: Of a committee, where rows were chosen by their votes.
        labels: The labels.
        called: What a label is called.
        vectors: (n, w) of the pool, of length one.
        labelled: (m, w) of the labelled rows.
    """
    alike = stands_for(vectors, places)
    strange = unlike(vectors, labelled)
    said = []
    for place, rows in zip(places, alike, strict=True):
        parts = [_votes(members, int(place), labels, called)] if members else []
        if asked is not None:
            parts.append(between(asked.pool[place], labels, called))
        if strange[place]:
            parts.append("unlike everything labelled so far")
        if rows > 1:
            parts.append(f"{rows - 1:,} rows are nearest to it" if rows > 2 else
                         "one row is nearest to it")  # fmt: skip
        said.append("; ".join(part for part in parts if part) or "unlike the others")
    return said


def between(p: Floats, labels: Sequence[Scalar], called: Callable[[Value | None], str]) -> str:
    """Which labels a model wavers between; nothing where it is sure.

    Args:
        p: (k,) probabilities.
        labels: The labels.
        called: What a label is called.
    """
    first, second = np.argsort(-p, kind="stable")[:2]
    if p[second] < SECOND:
        return f"perhaps {called(labels[first])} ({p[first]:.2f})" if p[first] < 0.5 else ""
    names = f"{called(labels[first])} and {called(labels[second])}"
    return f"between {names} ({p[first]:.2f} / {p[second]:.2f})"


def stands_for(vectors: Floats, places: Places) -> list[int]:
    """Rows of the pool, itself included, to which each of these is the nearest of them."""
    if not len(places):
        return []
    nearest = np.argmax(np.round(vectors @ vectors[places].T, 6), axis=1)
    nearest[places] = np.arange(len(places))
    counted = Counter(nearest.tolist())
    return [counted[number] for number in range(len(places))]


def unlike(vectors: Floats, labelled: Floats) -> NDArray[np.bool_]:
    """(n,) the tenth of the pool that is least like any labelled row; none where none is."""
    if not len(labelled):
        return np.zeros(len(vectors), bool)
    likeness = np.round((vectors @ labelled.T).max(axis=1), 6)
    return np.asarray(likeness < np.quantile(likeness, UNLIKE), bool)


def _votes(
    members: Sequence[Asked],
    place: int,
    labels: Sequence[Scalar],
    called: Callable[[Value | None], str],
) -> str:
    """What members say, where they do not say the same."""
    votes = [int(one.pool[place].argmax()) for one in members]
    if len(set(votes)) == 1:
        return ""
    return ", ".join(
        f"{SPOKEN[one.name]}: {called(labels[vote])}"
        for one, vote in zip(members, votes, strict=True)
    )
