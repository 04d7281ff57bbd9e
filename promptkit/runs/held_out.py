"""Predictions on labelled rows that were not learned from: what thresholds are chosen on.

A run of its own over the training rows, through the usual runner and store. A frozen model that is
asked answers them as it answers the evaluated rows: a row is never its own demonstration. What is
learned from the training rows answers them by cross-fitting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from promptkit.calibration import CALIBRATORS
from promptkit.data import Dataset
from promptkit.errors import DataError
from promptkit.protocols import Strategy
from promptkit.runs.adapt import is_learned
from promptkit.runs.calibration import OwnRows, calibration_rows
from promptkit.runs.method import Method, copies_left_out
from promptkit.runs.methods import method_for
from promptkit.runs.spec import EvalSpec
from promptkit.runs.trial import Trial, trial_of
from promptkit.runs.unlabelled import unlabelled_rows
from promptkit.selectors.draw import ranker
from promptkit.strategies.cross_fitted import CrossFitted
from promptkit.types import Example

#: Training rows that a frozen model is asked at most: of so many a share is known to 0.016.
MOST_ASKED = 1000


def held_out_trial(asked: EvalSpec, trial: Trial) -> Trial:
    """The trial that answers the training rows of another, none of them evaluated there.

    Rows of no label (`Trial.outside`) are answered beside them.

    Raises:
        DataError: No training row, or none that is not evaluated.
    """
    if trial.train is None:
        raise DataError(
            f"{trial.data.origin}: a threshold is chosen on labelled rows other than those that "
            "are evaluated; give some with --train-data FILE"
        )
    rows, notes = _rows(asked, trial)
    # rows of either kind are answered, here or there
    answered = (*trial.data, *rows)
    unlabelled, told = unlabelled_rows(asked, trial.template, answered)
    notes += told
    own = OwnRows(calibration_rows(asked, trial.template), unlabelled=unlabelled)
    method = method_for(asked, trial.template, True, own)
    if _sees_labels(asked):
        method = cross_fitted(method)
        notes.append(
            "each was answered by a model fitted without it, on fewer rows than the one in use: "
            "what is promised holds nearly, and not exactly"
        )
    return trial_of(asked, method, trial.template, rows, trial.train, notes)


def cross_fitted(method: Method) -> Method:
    """The same way of adapting, fitted again without each fold."""

    def make(with_model: bool) -> Strategy:
        return CrossFitted(lambda: method.make(with_model), seed=method.seed)

    # the parts that a spec names beside the strategy's own options stay beside them
    strategy = {**make(False).describe(), "strategy": dict(method.strategy)}
    return replace(method, strategy=strategy, make=make)


def _sees_labels(asked: EvalSpec) -> bool:
    """Whether training rows' labels are learned from, beyond demonstrations of other rows."""
    if is_learned(asked.strategy) or asked.selector == "searched":
        return True
    calibrator = CALIBRATORS.build(asked.calibration, asked.calibration_options)
    return calibrator.needs == "labelled rows"


def _rows(asked: EvalSpec, trial: Trial) -> tuple[Dataset, list[str]]:
    """The training rows that can be answered, and what was left out."""
    train = trial.train
    assert train is not None
    kept, told = copies_left_out(train.examples, trial.data.examples)
    outside_kept, _ = copies_left_out(trial.outside, trial.data.examples)
    rows = [train.examples[place] for place in kept]
    outside = [trial.outside[place] for place in outside_kept]
    notes = [told] if told else []
    if not rows:
        raise DataError(
            f"{train.origin}: each of its {len(train):,} rows is evaluated too, so that no "
            "threshold can be chosen; give other rows with --train-data FILE"
        )
    if not is_learned(asked.strategy) and len(rows) + len(outside) > MOST_ASKED:
        n = len(rows) + len(outside)
        rows = drawn(rows, MOST_ASKED * len(rows) // n)
        outside = drawn(outside, MOST_ASKED - len(rows))
        notes.append(f"{MOST_ASKED:,} of {n:,} training rows are answered, drawn by their ids")
    named = replace(train, examples=(*rows, *outside), numbers=(), place=None)
    return named, notes


def drawn(rows: Sequence[Example], n: int) -> list[Example]:
    """So many rows, in their order; which ones depends on their ids alone."""
    rank = ranker(0, "held out")
    chosen = {row.id for row in sorted(rows, key=lambda row: rank(row.id))[:n]}
    return [row for row in rows if row.id in chosen]
