"""What models know of the rows: probabilities, and the numbers that rows are compared by.

Labelled rows are learned from by strategy ``features``; without any (or with one label alone) the
model is asked zero-shot, by what a template says about the labels, or by their names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promptkit.backends.feature_cache import features_home
from promptkit.backends.hidden import hidden_states
from promptkit.protocols import Strategy
from promptkit.runs.adapt import IN_CONTEXT, make_strategy
from promptkit.runs.label_next.nouns import Request, Round
from promptkit.strategies.features import Features, combined
from promptkit.strategies.reading import Reading
from promptkit.strategies.scaling import Scaling
from promptkit.types import Cost, Example, label_key

Floats = NDArray[np.float64]
#: Called with rows done and rows in all.
OnProgress = Callable[[int, int], None]
#: Rows that are asked about at once, so that one sees how far it is.
CHUNK = 512
#: The classifier's penalty where there is none yet; that of `feature_heads.usual_strength`.
PENALTY = 0.65
#: Members of a committee beside the features; the second asks the model zero-shot.
OTHERS = ("tfidf", IN_CONTEXT)


@dataclass(frozen=True)
class Asked:
    """A model that was asked, and what it said.

    Args:
        name: Of its strategy.
        strategy: Fitted.
        pool: (n, k) probabilities of the pool's rows.
    """

    name: str
    strategy: Strategy
    pool: Floats

    @property
    def cost(self) -> Cost:
        """What it did."""
        return self.strategy.cost


def ask(round_: Round, request: Request, on_progress: OnProgress) -> Asked | None:
    """The model that knows most so far; None where no labels are known at all.

    Raises:
        BackendError: The model cannot be read.
        CapabilityError: It has no way of answering without labelled rows.
    """
    if not round_.known:
        return None
    return _asked(
        "features" if has_two_labels(round_) else IN_CONTEXT, round_, request, on_progress
    )


def committee(first: Asked, round_: Round, request: Request) -> list[Asked]:
    """The model that was asked, and others of another kind."""
    others = [name for name in OTHERS if name != first.name and _can_learn(name, round_)]
    return [first, *(_asked(name, round_, request, lambda done, total: None) for name in others)]


def has_two_labels(round_: Round) -> bool:
    """Whether a classifier can be fitted."""
    return len({label_key(row.label) for row in round_.labelled}) > 1


def probabilities(
    strategy: Strategy,
    rows: Sequence[Example],
    k: int,
    on_progress: OnProgress = lambda done, total: None,
) -> Floats:
    """(n, k) of the labels; where a row could not be answered, all labels alike."""
    found = np.full((len(rows), k), 1 / k)
    for start in range(0, len(rows), CHUNK):
        for place, one in enumerate(strategy.predict(rows[start : start + CHUNK]), start):
            if one.log_p is not None:
                found[place] = np.exp(one.log_p)
        on_progress(min(start + CHUNK, len(rows)), len(rows))
    return found


def compared_by(
    asked: Asked | None, rows: Sequence[Example], round_: Round, request: Request
) -> tuple[Floats, float]:
    """(m, w) numbers of a linear classifier on these rows, and its penalty.

    Those of the fitted classifier; where there is none, of the last layer.
    """
    strategy = None if asked is None else asked.strategy
    if isinstance(strategy, Features):
        fitted, view = strategy.fitted_, strategy.fitted_.view
        texts = [strategy.reading(row) for row in rows]
        states = strategy.states.pooled(texts, [view.pooling], view.layers)[view.pooling]
        return combined(fitted.scaling.apply(states), fitted.mix), strategy.regularisation_
    states = _last_layer(rows, round_, request)
    return combined(Scaling().fit(states).apply(states)), PENALTY


def embedded(rows: Sequence[Example], round_: Round, request: Request) -> Floats:
    """(m, w) vectors of length one: the mean of the last layer's states."""
    vectors = _last_layer(rows, round_, request)[:, 0].astype(np.float64)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0), np.float64)


def _asked(name: str, round_: Round, request: Request, on_progress: OnProgress) -> Asked:
    strategy = make_strategy(
        name,
        template=round_.template,
        model=request.model,
        seed=request.seed,
        device=request.device,
        dtype=request.dtype,
    )
    strategy.fit(round_.labelled)
    k = len(round_.template.task.labels)
    return Asked(name, strategy, probabilities(strategy, round_.pool, k, on_progress))


def _can_learn(name: str, round_: Round) -> bool:
    return name == IN_CONTEXT or has_two_labels(round_)


def _last_layer(rows: Sequence[Example], round_: Round, request: Request) -> NDArray[np.float32]:
    """(m, 1, w) states; what was computed before is remembered."""
    states = hidden_states(
        request.model, device=request.device, dtype=request.dtype, cache=features_home()
    )
    reading = Reading(round_.template.task.fields)
    return states.pooled([reading(row) for row in rows], ["mean"], [-1])["mean"]
