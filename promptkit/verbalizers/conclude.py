"""From pooled evidence to a prediction, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from promptkit.types import Evidence, Prediction, Scalar


def prediction_of(
    pooled: NDArray[np.float64] | None, labels: Sequence[Scalar], evidence: Evidence
) -> Prediction:
    """The label with the most evidence, its first place on a tie, and normalised ``log_p``.

    A row is unscored, never guessed, where the evidence has a problem or is empty, ``pooled`` is
    None, holds a NaN or +inf, or is -inf everywhere; the prediction says which.

    Args:
        pooled: (k,) unnormalised log-probabilities in the order of ``labels``.
        labels: The task's labels, or the numbers of the row's choices.
        evidence: What ``pooled`` was made of.
    """
    if pooled is not None and len(pooled) != len(labels):
        raise ValueError(
            f"row {evidence.example_id!r}: {len(pooled)} pooled values for {len(labels)} labels"
        )
    problem = _problem(pooled, labels, evidence)
    if pooled is None or problem:
        return _prediction(evidence, problem=problem)
    best = int(np.argmax(pooled))
    return _prediction(
        evidence,
        label=labels[best],
        # a reply that was chosen or written has no probability
        log_p=None if evidence.decided else tuple(map(float, log_softmax(pooled))),
        tied=int(np.sum(pooled == pooled[best])) > 1,
    )


def log_softmax(pooled: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) log-probabilities whose exponentials sum to one; at least one value must be finite."""
    values = np.asarray(pooled, np.float64)
    below = values - values.max()  # the highest becomes 0: exp neither overflows nor loses all
    normalised: NDArray[np.float64] = below - np.log(np.exp(below).sum())
    return normalised


def _problem(
    pooled: NDArray[np.float64] | None, labels: Sequence[Scalar], evidence: Evidence
) -> str:
    if evidence.problem:
        return evidence.problem
    if pooled is None or not evidence.log_p:
        return "the backend gave no evidence"
    if not labels:
        return "there is no label to choose from"
    for label, value in zip(labels, pooled, strict=True):
        if np.isnan(value) or value == np.inf:
            return f"the evidence for label {label!r} is not a number ({value})"
    if np.all(pooled == -np.inf):
        return "the model gives every label a probability of zero"
    return ""


def _prediction(
    evidence: Evidence,
    *,
    label: Scalar | None = None,
    log_p: tuple[float, ...] | None = None,
    tied: bool = False,
    problem: str = "",
) -> Prediction:
    return Prediction(
        example_id=evidence.example_id,
        label=label,
        log_p=log_p,
        kind=evidence.kind,
        tied=tied,
        dropped_shots=evidence.dropped_shots,
        cut_chars=evidence.cut_chars,
        problem=problem,
    )
