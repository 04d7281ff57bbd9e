"""From the probability of each label to the labels that a row has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import DataError
from promptkit.prompts.parts_asked import labels_in
from promptkit.types import Evidence, Example, Prediction, Scalar, label_key

#: A row has the labels of this probability and above.
HALF = float(np.log(0.5))


def chosen(
    evidence: Evidence,
    log_p: NDArray[np.float64],
    labels: Sequence[Scalar],
    *,
    decided: bool = False,
) -> Prediction:
    """The labels whose probability is one half or more; there may be none.

    Args:
        evidence: What it rests on.
        log_p: (k,) log-probability of each label that the row has it; they do not sum to one.
        labels: In the same order.
        decided: Whether these are bare decisions, and no probabilities.
    """
    if evidence.problem or np.isnan(log_p).any():
        why = evidence.problem or "the backend gave no number"
        return Prediction(evidence.example_id, None, None, evidence.kind, problem=why)
    has = log_p >= HALF - 1e-12  # a half that was rounded is a half
    return Prediction(
        example_id=evidence.example_id,
        label=tuple(label for label, there in zip(labels, has, strict=True) if there),
        log_p=None if decided else tuple(map(float, log_p)),
        kind=evidence.kind,
        tied=bool((np.abs(log_p - HALF) < 1e-12).any()),
        dropped_shots=evidence.dropped_shots,
        cut_chars=evidence.cut_chars,
    )


def label_matrix(train: Sequence[Example], labels: Sequence[Scalar]) -> NDArray[np.float64]:
    """(n, k) 1 where a training row has a label, 0 where not.

    Raises:
        DataError: No row, a row without a gold set, or a label that the task does not have.
    """
    if not train:
        raise DataError("there is no labelled row to learn from; give some with --train-data")
    places = {label_key(label): place for place, label in enumerate(labels)}
    found = np.zeros((len(train), len(labels)))
    for at, row in enumerate(train):
        if row.label is None:
            raise DataError(f"training row {row.id!r} has no labels; [] says that none applies")
        for label in labels_in(row):
            if label_key(label) not in places:
                raise DataError(f"training row {row.id!r}: {label!r} is none of the task's labels")
            found[at, places[label_key(label)]] = 1
    return found
