"""Accuracy, balanced accuracy and F1, for one confusion matrix or for many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from promptkit.metrics.rows import UNSCORED, Floats, Ints, Rows
from promptkit.types import Scalar


@dataclass(frozen=True)
class PerClass:
    """How one label fared.

    Args:
        label: The label.
        precision: Right ones among the rows predicted as this label; 0 where there are none.
        recall: Right ones among the rows that have this label; 0 where there are none. An
            unscored row is not a right one.
        f1: Harmonic mean of the two; 0 where the label occurs nowhere.
        support: Rows that have this label.
        predicted: Rows predicted as this label.
    """

    label: Scalar
    precision: float
    recall: float
    f1: float
    support: int
    predicted: int


@dataclass(frozen=True)
class Margins:
    """All that the metrics need of a confusion matrix; leading axes hold several at once.

    Args:
        hits: (..., k) its diagonal.
        support: (..., k) its row sums, unscored rows included.
        predicted: (..., k) its column sums.
    """

    hits: Floats
    support: Floats
    predicted: Floats


def confusion_of(rows: Rows, k: int) -> Ints:
    """(k, k + 1) counts: gold label down, predicted label across, last column unscored."""
    return confusion_from(rows.gold, np.where(rows.predicted == UNSCORED, k, rows.predicted), k)


def confusion_from(gold: Ints, predicted: Ints, k: int) -> Ints:
    """The same from (n,) indices, k standing for unscored."""
    cells = np.bincount(gold * (k + 1) + predicted, minlength=k * (k + 1))
    return cells.astype(np.int64).reshape(k, k + 1)


def margins_of(confusion: Ints) -> Margins:
    """The margins of one (k, k + 1) confusion matrix."""
    counts = confusion.astype(np.float64)
    return Margins(counts.diagonal().copy(), counts.sum(axis=1), counts[:, :-1].sum(axis=0))


def accuracy(margins: Margins) -> Floats:
    """Share of rows that are right, unscored rows counted as wrong."""
    return np.asarray(margins.hits.sum(axis=-1) / margins.support.sum(axis=-1))


def balanced_accuracy(margins: Margins) -> Floats:
    """Mean recall over the labels that have support.

    Brodersen et al. 2010, "The balanced accuracy and its posterior distribution"; the same as
    ``sklearn.metrics.balanced_accuracy_score``, which leaves labels without support out too.
    """
    return _mean_where(margins.support > 0, divide(margins.hits, margins.support))


def macro_f1(margins: Margins) -> Floats:
    """Mean F1 over the declared labels that occur among the golds or the predictions.

    The mean of F1 scores, not the F1 of mean precision and mean recall (Opitz and Burst 2019,
    "Macro F1 and Macro F1"). The same as ``f1_score(average="macro", labels=those)``: a declared
    label that occurs nowhere says nothing about the model, and is left out instead of scoring 0.
    """
    seen = margins.support + margins.predicted
    return _mean_where(seen > 0, divide(2 * margins.hits, seen))


def per_class(margins: Margins, labels: Sequence[Scalar]) -> tuple[PerClass, ...]:
    """One line per declared label, in their order; a division by zero gives 0."""
    precision = divide(margins.hits, margins.predicted)
    recall = divide(margins.hits, margins.support)
    f1 = divide(2 * margins.hits, margins.support + margins.predicted)
    return tuple(
        PerClass(
            label,
            float(precision[place]),
            float(recall[place]),
            float(f1[place]),
            int(margins.support[place]),
            int(margins.predicted[place]),
        )
        for place, label in enumerate(labels)
    )


def divide(upper: Floats, lower: Floats) -> Floats:
    """Element by element; 0 where the lower one is 0, without a warning."""
    return np.divide(upper, lower, out=np.zeros_like(upper), where=lower > 0)


def _mean_where(counted: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], values: Floats) -> Floats:
    return np.asarray((values * counted).sum(axis=-1) / counted.sum(axis=-1))
