"""A run's predictions against its golds: every score with its interval, in one report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from promptkit.metrics.baselines import majority, random_guess
from promptkit.metrics.bootstrap import (
    Interval,
    centred_interval,
    interval,
    resampled_margins,
    resampled_means,
)
from promptkit.metrics.classification import (
    PerClass,
    accuracy,
    balanced_accuracy,
    confusion_of,
    macro_f1,
    margins_of,
    per_class,
)
from promptkit.metrics.probability import Probabilities, columns, metrics_of, probabilities_of
from promptkit.metrics.rows import Ints, Rows, read_rows
from promptkit.types import Prediction, Scalar, Score, Value

#: Functions of the confusion matrix, in the order in which they are reported.
COUNTED = {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy, "macro_f1": macro_f1}

#: How many of the most confident errors a report keeps.
N_WORST = 5


@dataclass(frozen=True)
class Mistake:
    """A wrong prediction.

    Args:
        example_id: The row.
        gold: Its gold label.
        predicted: The label that was predicted.
        probability: The predicted label's probability; for a written answer the share of samples
            that say it, None where there was one.
    """

    example_id: str
    gold: Value
    predicted: Value
    probability: float | None


@dataclass(frozen=True)
class Report:
    """How good the predictions of one run are. All counts are of the n labelled rows.

    Args:
        scores: Metrics with 95% intervals: accuracy, balanced_accuracy, macro_f1, ece, brier,
            log_loss. One that cannot be computed is absent: all of them without labelled rows,
            the last three without probabilities. Of written answers: the metrics of
            `promptkit.metrics.written`, the main one first.
        baselines: ``majority_of_train`` or ``majority_of_golds``, and ``random``; of written
            answers ``constant_of_train`` or ``constant_of_golds``.
        per_class: One per label, in the order of the labels; empty for rows with own choices.
        confusion: (k, k + 1) rows per gold label (down) and predicted label (across), the last
            column unscored; empty for rows with own choices.
        worst: The most confident errors, most confident first.
        majority_label: The label (or answer) of that baseline; None where there is no such.
        n: Rows with a gold label.
        n_unscored: Rows without a prediction; they count as wrong.
        n_unlabelled: Rows without a gold label, left out of everything else.
        n_tied: Rows whose best two labels had exactly the same evidence.
        n_dropped_shots: Rows that lost demonstrations so that the prompt fits.
        n_cut: Rows that lost text so that the prompt fits.
    """

    scores: tuple[Score, ...]
    baselines: tuple[Score, ...]
    per_class: tuple[PerClass, ...]
    confusion: tuple[tuple[int, ...], ...]
    worst: tuple[Mistake, ...]
    majority_label: Scalar | None
    n: int
    n_unscored: int
    n_unlabelled: int
    n_tied: int
    n_dropped_shots: int
    n_cut: int

    def find(self, metric: str) -> Score | None:
        """The score or baseline of that name, if the report has it."""
        named = {score.metric: score for score in (*self.scores, *self.baselines)}
        return named.get(metric)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values: a dict of lists, strings, finite numbers and None."""
        plain: dict[str, Any] = _lists(asdict(self))
        return plain

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Report:
        """The report that `to_json` was called on."""
        return cls(
            **{
                **values,
                "scores": tuple(Score(**score) for score in values["scores"]),
                "baselines": tuple(Score(**score) for score in values["baselines"]),
                "per_class": tuple(PerClass(**line) for line in values["per_class"]),
                "confusion": tuple(tuple(line) for line in values["confusion"]),
                "worst": tuple(Mistake(**_tuples(one)) for one in values["worst"]),
            }
        )


def evaluate(
    golds: Sequence[Value | None],
    predictions: Sequence[Prediction],
    labels: tuple[Scalar, ...],
    *,
    seed: int = 0,
    resamples: int = 2000,
    train_labels: Sequence[Value | None] | None = None,
) -> Report:
    """Score predictions; the same for the same seed.

    Accuracy, balanced accuracy and macro-F1 count an unscored row as wrong. ECE, Brier score (the
    sum over labels of squared differences, so 0 to 2, not 0 to 1) and log loss are taken over the
    rows that have probabilities, and their ``n`` says how many.

    Args:
        golds: Gold labels in the order of ``predictions``; None leaves a row out.
        predictions: One per row.
        labels: The labels in the order of every ``log_p``. Empty for kind ``choose``: then a gold
            is the index of the right one among the row's own choices, and the report has
            accuracy, ECE and Brier score only.
        seed: Seed of the resampling, not negative.
        resamples: Bootstrap resamples; 0 leaves the intervals of the scores empty.
        train_labels: Labels of the training rows, for the majority baseline.

    Raises:
        DataError: A gold label is not one of the labels.
        ValueError: The arguments do not fit together.
    """
    rows = read_rows(golds, predictions, labels)
    confusion = confusion_of(rows, len(labels)) if labels else np.zeros((0, 1), dtype=np.int64)
    found = probabilities_of(rows)
    baselines, majority_label = _baselines(rows, labels, train_labels)
    return Report(
        scores=(
            *_counted(rows, confusion, seed, resamples),
            *_believed(found, bool(labels), seed, resamples),
        ),
        baselines=baselines,
        per_class=per_class(margins_of(confusion), labels),
        confusion=tuple(tuple(line) for line in confusion.tolist()),
        worst=_worst(rows, found, labels),
        majority_label=majority_label,
        **row_counts(golds, rows.predictions),
    )


def row_counts(golds: Sequence[Value | None], judged: Sequence[Prediction]) -> dict[str, int]:
    """What a report counts of rows, whatever the kind of task; see `Report`.

    Args:
        golds: Of all rows.
        judged: Predictions of those that have one.
    """
    return {
        "n": len(judged),
        "n_unscored": sum(one.label is None for one in judged),
        "n_unlabelled": len(golds) - len(judged),
        "n_tied": sum(one.tied for one in judged),
        "n_dropped_shots": sum(one.dropped_shots > 0 for one in judged),
        "n_cut": sum(one.cut_chars > 0 for one in judged),
    }


def _counted(rows: Rows, confusion: Ints, seed: int, resamples: int) -> list[Score]:
    """Scores that follow from the confusion matrix."""
    n = len(rows.gold)
    if not n:
        return []
    metrics = COUNTED
    if not len(confusion):
        # Choices have no names to average over: one class with right and wrong rows says it all.
        right = int(rows.correct.sum())
        confusion, metrics = np.array([[right, n - right]]), {"accuracy": accuracy}
    margins = margins_of(confusion)
    resampled = resampled_margins(confusion, np.random.default_rng([seed, 0]), resamples)
    return [
        Score(name, float(metric(margins)), *interval(metric(resampled)), n, rows.n_unscored)
        for name, metric in metrics.items()
    ]


def _believed(found: Probabilities, named: bool, seed: int, resamples: int) -> list[Score]:
    """Scores of the probabilities."""
    n = len(found.row)
    if not n:
        return []
    table = columns(found)
    values = metrics_of(table.mean(axis=0))
    resampled = metrics_of(resampled_means(table, np.random.default_rng([seed, 1]), resamples))
    ends: dict[str, Interval] = {name: interval(drawn) for name, drawn in resampled.items()}
    ends["ece"] = centred_interval(resampled["ece"], float(values["ece"]))
    names = list(values) if named else ["ece", "brier"]
    return [Score(name, float(values[name]), *ends[name], n) for name in names]


def _baselines(
    rows: Rows, labels: tuple[Scalar, ...], train_labels: Sequence[Value | None] | None
) -> tuple[tuple[Score, ...], Scalar | None]:
    guess = random_guess(rows)
    if guess is None:
        return (), None
    if not labels:
        return (guess,), None
    score, label = majority(rows, labels, train_labels)
    return (score, guess), label


def _worst(rows: Rows, found: Probabilities, labels: tuple[Scalar, ...]) -> tuple[Mistake, ...]:
    wrong = np.flatnonzero(~rows.correct[found.row])
    first = wrong[np.argsort(-found.chosen[wrong], kind="stable")][:N_WORST]
    mistakes = []
    for place in first:
        row = int(found.row[place])
        gold, predicted = int(rows.gold[row]), int(rows.predicted[row])
        mistakes.append(
            Mistake(
                rows.predictions[row].example_id,
                labels[gold] if labels else gold,
                labels[predicted] if labels else predicted,
                min(float(found.chosen[place]), 1.0),
            )
        )
    return tuple(mistakes)


def _lists(value: Any) -> Any:
    """JSON has no tuples; nor has YAML's safe dump."""
    if isinstance(value, dict):
        return {name: _lists(inner) for name, inner in value.items()}
    return [_lists(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
