"""From what was asked for to a trial: rows loaded, parts chosen, everything checked, no weights.

Whatever can be wrong without a model in memory is found here, before one is loaded.
"""

from __future__ import annotations

from dataclasses import replace

from promptkit.data import Dataset
from promptkit.errors import DataError
from promptkit.prompts import Template
from promptkit.runs.adapt import is_learned
from promptkit.runs.calibration import OwnRows, calibration_rows
from promptkit.runs.manifest import is_saved
from promptkit.runs.method import copies_left_out
from promptkit.runs.methods import method_for
from promptkit.runs.models import backend_for_spec
from promptkit.runs.parts import order_for, selector_for, showing
from promptkit.runs.profile import profiled
from promptkit.runs.rows import rows_for
from promptkit.runs.saved_trial import saved_trial
from promptkit.runs.spec import EvalSpec
from promptkit.runs.trial import Trial, is_outside, trial_of
from promptkit.runs.unlabelled import unlabelled_rows
from promptkit.types import Example, Scalar


def build(asked: EvalSpec) -> Trial:
    """Check everything and load the rows.

    Raises:
        PromptkitError: The first thing that is wrong.
    """
    if asked.profile is not None:
        return profiled(asked)
    if is_saved(asked.model):
        return saved_trial(asked)
    template, data, train, notes = rows_for(asked)
    train, outside = _set_apart(train, asked.out_of_scope)
    unlabelled, told_of = unlabelled_rows(asked, template, data.examples)
    notes += told_of
    own = OwnRows(calibration_rows(asked, template), data.examples, unlabelled)
    method = method_for(asked, template, bool(train), own)
    if train is not None and is_learned(asked.strategy):
        train, told = _not_evaluated(train, data)
        notes += [told] if told else []
    trial = trial_of(asked, method, template, data, train, notes)
    return replace(trial, outside=outside)


def _set_apart(
    train: Dataset | None, out_of_scope: Scalar | None
) -> tuple[Dataset | None, tuple[Example, ...]]:
    """The training rows of some label, and those of none, from which nothing is learned."""
    if train is None or out_of_scope is None:
        return train, ()
    outside = tuple(row for row in train if is_outside(row, out_of_scope))
    return train.without([out_of_scope]), outside


def _not_evaluated(train: Dataset, data: Dataset) -> tuple[Dataset, str]:
    kept, told = copies_left_out(train.examples, data.examples)
    if not kept:
        raise DataError(
            f"{train.origin}: each of its {len(train):,} rows is evaluated too, so that nothing is "
            "left to learn from; give other rows with --train-data FILE"
        )
    return train.taking(kept), told


def demonstrations(
    asked: EvalSpec, template: Template, train: Dataset | None, example: Example
) -> list[Example]:
    """The demonstrations that a row would be shown, without a language model."""
    shots = template.keys.shots if asked.shots is None else asked.shots
    selector_for(asked, shots, bool(train))
    order_for(asked, shots)
    if not shots or train is None:
        return []
    backend, options, _ = backend_for_spec(asked, template)
    selector, order = showing(asked, shots, True, backend, options)
    chosen = selector.fit(train.examples).select(example, shots)
    return chosen if order is None else order.fit(train.examples).arrange(example, chosen)
