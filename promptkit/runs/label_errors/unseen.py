"""What a strategy says of rows that it has not learned from, copies of their texts included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import CapabilityError
from promptkit.prompts import Template
from promptkit.protocols import Strategy
from promptkit.runs.adapt import is_learned, make_strategy
from promptkit.runs.label_errors.nouns import Search
from promptkit.strategies.cross_fitted import CrossFitted
from promptkit.strategies.features import Features
from promptkit.types import Cost, Example

Floats = NDArray[np.float64]
#: Called with fits done and fits in all.
OnFold = Callable[[int, int], None]


def out_of_fold(
    rows: Sequence[Example], template: Template, search: Search, on_fold: OnFold
) -> tuple[Floats, Cost]:
    """(n, k) probabilities of the labels, averaged over repeats, and what they took.

    Layers, pooling and regularisation of features are chosen once, on all rows, and not in every
    fold: that is ten times as fast, and three choices know next to nothing of one row's label.

    Args:
        rows: Labelled rows, in the order of their ids.
        template: Its labels settled.
        search: Strategy, folds and repeats.
        on_fold: Told how far it is.

    Raises:
        CapabilityError: The strategy has no probabilities.
        DataError: Rows of one text alone.
    """
    make = partial(_made, search, template)
    first = make()
    if isinstance(first, Features):
        first.fit(rows)
        chosen = {
            "layers": list(first.layers_),
            "pooling": first.pooling_,
            "regularisation": first.regularisation_,
        }
        make = partial(_made, search, template, chosen)
    found, cost = np.zeros((len(rows), len(template.task.labels))), first.cost
    made, total = 0, search.repeats * (search.folds + 1)

    def counted() -> Strategy:
        nonlocal made
        on_fold(made, total)
        made += 1
        return make()

    for repeat in range(search.repeats):
        fitted = CrossFitted(counted, search.folds, search.seed + repeat).fit(rows)
        found += _probabilities(fitted, rows, search.strategy)
        cost += fitted.cost
    return found / search.repeats, cost


def _made(search: Search, template: Template, chosen: dict[str, object] | None = None) -> Strategy:
    if not is_learned(search.strategy):
        raise CapabilityError(
            f"strategy {search.strategy!r} learns nothing from the rows, so that none is left out "
            "of a fit; use --strategy features"
        )
    return make_strategy(
        search.strategy,
        template=template,
        model=search.model,
        options={**search.options, **(chosen or {})},
        seed=search.seed,
        device=search.device,
        dtype=search.dtype,
    )


def _probabilities(fitted: CrossFitted, rows: Sequence[Example], name: str) -> Floats:
    said = fitted.predict(rows)
    if any(one.log_p is None for one in said):
        raise CapabilityError(
            f"strategy {name!r} has no probabilities; use --strategy features, tfidf or head"
        )
    p: Floats = np.exp(np.array([one.log_p for one in said], np.float64))
    return p
