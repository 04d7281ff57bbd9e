"""Evidence pooled over labels, calibrated, and concluded from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from promptkit.calibration.batch import LEAST_ROWS
from promptkit.protocols import Calibrator
from promptkit.selectors.draw import ranker
from promptkit.types import Evidence, Example, Prediction, Scalar
from promptkit.verbalizers.conclude import prediction_of

Pooled = NDArray[np.float64] | None

#: Training rows that a prior is estimated on at most; the mean of so many probabilities has a
#: standard error of 0.03 at worst.
MOST_ROWS = 256


def calibration_rows(train: Sequence[Example]) -> list[Example]:
    """The training rows that a prior is estimated on; none where there are too few.

    Drawn by a hash of their ids, so that neither their order nor a seed matters.
    """
    if len(train) < LEAST_ROWS:
        return []
    rank = ranker(0, "calibration")
    return sorted(train, key=lambda row: rank(row.id))[:MOST_ROWS]


def calibrated_on(train: Sequence[Example]) -> str:
    """Which rows a prior is estimated on, for the reader of a table."""
    n = len(calibration_rows(train))
    if n:
        return f"what the model favours was estimated on {n:,} training rows, their labels unread"
    return (
        "what the model favours was estimated on the evaluated rows themselves, their labels "
        "unread: a prediction depends on the rows beside it"
    )


def log_prior(pooled: Sequence[Pooled], calibrator: Calibrator) -> tuple[float, ...]:
    """(k,) what the model favours, from the rows that have evidence; see `Calibrator.estimate`."""
    rows = [row for row in pooled if row is not None and is_usable(row)]
    stacked = np.stack(rows) if rows else np.empty((0, 0))
    return tuple(float(value) for value in calibrator.estimate(stacked))


def conclude(
    pooled: Sequence[Pooled],
    evidence: Sequence[Evidence],
    labels: Sequence[Scalar],
    calibrator: Calibrator,
    name: str,
) -> list[Prediction]:
    """Predictions, the prior taken off.

    The prior is the one that each row's evidence carries; rows that carry none are one batch, and
    the prior is estimated on them. A row without evidence stays unscored.

    Args:
        pooled: (k,) a row, unnormalised, or None.
        evidence: What they were made of.
        labels: The task's labels.
        calibrator: Takes the prior off.
        name: What the kind of evidence is called henceforth, such as ``batch calibration``.
    """
    mended = list(pooled)
    usable = [i for i, row in enumerate(pooled) if row is not None and is_usable(row)]
    batch = [i for i in usable if not evidence[i].log_prior]
    for i in set(usable) - set(batch):
        prior = np.array(evidence[i].log_prior)
        mended[i] = calibrator.apply(_stacked(pooled, [i]), prior)[0]
    if batch:
        for i, row in zip(batch, calibrator.apply(_stacked(pooled, batch)), strict=True):
            mended[i] = row
    return [
        prediction_of(row, labels, replace(found, kind=f"{found.kind}, {name}"))
        for row, found in zip(mended, evidence, strict=True)
    ]


def is_usable(row: NDArray[np.float64]) -> bool:
    """Whether a row says anything: no NaN, no +inf, and not -inf everywhere."""
    return not (np.isnan(row).any() or (row == np.inf).any() or np.isneginf(row).all())


def _stacked(pooled: Sequence[Pooled], places: Sequence[int]) -> NDArray[np.float64]:
    return np.stack([row for i in places if (row := pooled[i]) is not None])
