"""Golds and predictions, brought to index arrays that the metrics count on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import DataError
from promptkit.types import Prediction, Scalar, Value, label_key

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Stands in `Rows.predicted` for a row without a prediction, in `Rows.sizes` for an unknown size.
UNSCORED = -1


@dataclass(frozen=True)
class Rows:
    """The n rows whose gold label is known.

    Args:
        predictions: One per row.
        gold: (n,) index of the gold label (of the gold choice, for rows with their own choices).
        predicted: (n,) index of the predicted one, `UNSCORED` where there is none.
        sizes: (n,) how many labels the row could have had; `UNSCORED` where nobody knows, which
            is the case for an unscored row with choices of its own.
        n_unlabelled: Rows that were left out because their gold label is unknown.
    """

    predictions: tuple[Prediction, ...]
    gold: Ints
    predicted: Ints
    sizes: Ints
    n_unlabelled: int

    @property
    def correct(self) -> NDArray[np.bool_]:
        """(n,) whether the prediction is right; an unscored row is wrong."""
        return np.equal(self.gold, self.predicted)

    @property
    def n_unscored(self) -> int:
        """Rows without a prediction."""
        return int((self.predicted == UNSCORED).sum())


def read_rows(
    golds: Sequence[Value | None], predictions: Sequence[Prediction], labels: Sequence[Scalar]
) -> Rows:
    """Join golds and predictions by position and turn labels into indices.

    Args:
        golds: Gold labels, or for no ``labels`` the index of the right choice; None is unknown.
        predictions: In the order of ``golds``.
        labels: The labels in the order of every ``log_p``; empty where rows have own choices.

    Raises:
        DataError: A gold label is not one of the labels (or not one of the row's choices).
        ValueError: The two sequences, or a prediction and the labels, do not fit together; that
            is a bug of the caller.
    """
    known = [
        (gold, prediction)
        for gold, prediction in zip(golds, predictions, strict=True)
        if gold is not None
    ]
    index = positions(labels)
    sizes = [len(labels) or _choices(prediction) for _, prediction in known]
    read = [
        (_gold(gold, prediction, index, size), _predicted(prediction, index, size))
        for (gold, prediction), size in zip(known, sizes, strict=True)
    ]
    pairs = np.array(read, dtype=np.int64).reshape(-1, 2)
    return Rows(
        tuple(prediction for _, prediction in known),
        pairs[:, 0],
        pairs[:, 1],
        np.array(sizes, dtype=np.int64),
        len(golds) - len(known),
    )


def positions(labels: Sequence[Scalar]) -> dict[object, int]:
    """Each label's place, 0 and False and "0" kept apart.

    Raises:
        ValueError: A label is declared twice.
    """
    index: dict[object, int] = {label_key(label): place for place, label in enumerate(labels)}
    if len(index) < len(labels):
        raise ValueError(f"a label is declared twice: {list(labels)!r}")
    return index


def _choices(prediction: Prediction) -> int:
    return len(prediction.log_p or ()) or UNSCORED


def _gold(gold: Value, prediction: Prediction, index: dict[object, int], size: int) -> int:
    place = _place(gold, index, size)
    if place is None:
        allowed = "one of the labels" if index else f"the number of one of its {size} choices"
        allowed = "a choice's number" if not index and size == UNSCORED else allowed
        raise DataError(f"row {prediction.example_id!r}: gold label {gold!r} is not {allowed}")
    return place


def _predicted(prediction: Prediction, index: dict[object, int], size: int) -> int:
    if prediction.label is None:
        return UNSCORED
    if index and prediction.log_p is not None and len(prediction.log_p) != size:
        raise ValueError(
            f"row {prediction.example_id!r}: {len(prediction.log_p)} log_p for {size} labels"
        )
    place = _place(prediction.label, index, size)
    if place is None:
        raise ValueError(f"row {prediction.example_id!r}: predicted {prediction.label!r}, no label")
    return place


def _place(value: Value, index: dict[object, int], size: int) -> int | None:
    """Index of a label or number of a choice; None where it is neither."""
    if index:
        return index.get(label_key(value))
    if type(value) is not int or value < 0 or (size != UNSCORED and value >= size):
        return None
    return value
