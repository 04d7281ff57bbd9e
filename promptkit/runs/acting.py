"""Acting on uncertainty: thresholds and label sets, chosen on training rows and tried on others.

They are chosen on labelled rows that were not learned from, see `promptkit.runs.held_out`. Both
runs are stored as they are and nothing here changes them: other wishes are other readings of the
same predictions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import CapabilityError
from promptkit.metrics.conformal import Method, conformal, draws_of, set_report
from promptkit.metrics.exact import share
from promptkit.metrics.out_of_scope import balanced_threshold, keeping_threshold, scope_of
from promptkit.metrics.rows import Floats, positions
from promptkit.metrics.selective import (
    Goal,
    abstain_threshold,
    confidences,
    coverage_curve,
    has_probabilities,
)
from promptkit.runs.adapt import GENERATE
from promptkit.runs.held_out import held_out_trial
from promptkit.runs.kinds import need_single_labels
from promptkit.runs.spec import EvalSpec
from promptkit.runs.trial import Trial, is_outside
from promptkit.runs.uncertainty import Abstaining, LabelSets, OutOfScope, Uncertainty
from promptkit.runs.wishes import wishes_of
from promptkit.types import Prediction, RunRecord, Scalar, Value, label_key

#: Runs a trial and gives its record: the caller knows the store and who looks on.
Runner = Callable[[Trial], RunRecord]
Bools = NDArray[np.bool_]


def ready(asked: EvalSpec, trial: Trial) -> Trial:
    """The trial over the training rows; what can be wrong without a model is said here.

    Raises:
        CapabilityError: Answers that are texts; sets of labels that rows do not share.
        PromptkitError: See `held_out_trial`.
    """
    template = trial.template
    need_single_labels(template, "acting on uncertainty")
    if template.writing or asked.strategy == GENERATE:
        raise CapabilityError(
            "acting on uncertainty needs probabilities, and a model that writes gives none; use "
            "--strategy in_context with a template that has labels, or leave the option out"
        )
    if asked.conformal is not None and template.choosing:
        raise CapabilityError(
            "--conformal: sets are of labels that all rows share, and each row of template "
            f"{template.name!r} brings its own choices; leave it out"
        )
    return held_out_trial(asked, trial)


def act_on(asked: EvalSpec, trial: Trial, record: RunRecord, runner: Runner) -> Uncertainty:
    """Choose on the training rows, and try on the evaluated ones.

    Args:
        asked: With the wishes.
        trial: What was run.
        record: What came out.
        runner: Runs the trial over the training rows.

    Raises:
        CapabilityError: There are no probabilities, or no labels that all rows share.
        DataError: Too few training rows, or no row of a kind that is needed.
    """
    wishes, chosen_on = wishes_of(asked), ready(asked, trial)
    check_probabilities(record.predictions, "the evaluated rows")
    held = runner(chosen_on)
    check_probabilities(held.predictions, "the training rows")
    rows = _Rows.of(held, [is_outside(row, asked.out_of_scope) for row in chosen_on.data])
    tried = _Rows.of(record, [is_outside(row, asked.out_of_scope) for row in trial.data])
    columns: dict[str, tuple[Any, ...]] = {}
    abstain = sets = scope = None
    if wishes.abstain:
        abstain, columns["abstained"] = _abstaining(*wishes.abstain, rows, tried)
    if wishes.conformal:
        sets, columns["label_set"] = _label_sets(*wishes.conformal, rows, tried)
    if wishes.out_of_scope is not None:
        scope, columns["out_of_scope"] = _scope(wishes.out_of_scope, rows, tried)
        named = [wishes.out_of_scope if out else None for out in tried.outside]
        pairs = zip(tried.golds, named, strict=True)
        columns["gold"] = tuple(gold if name is None else name for gold, name in pairs)
    known = int(rows.known.sum())
    notes = chosen_on.notes
    return Uncertainty(known, held.spec.fingerprint(), notes, abstain, sets, scope, columns)


def check_probabilities(predictions: Sequence[Prediction], which: str) -> None:
    """Refuse answers that nothing says how sure they are.

    Raises:
        CapabilityError: One has no probabilities.
    """
    if not has_probabilities(predictions):
        raise CapabilityError(
            f"acting on uncertainty needs probabilities, and {which} have answers without any (a "
            "text, or a bare decision); use a backend that scores the labels"
        )


@dataclass(frozen=True)
class _Rows:
    """The predictions of a run as arrays.

    Args:
        predictions: All of them.
        labels: The task's labels.
        golds: Gold labels; None where unknown or none of the labels.
        sure: (n,) confidences.
        right: (n,) whether the prediction is right.
        known: (n,) whether there is a gold label.
        outside: (n,) whether the row is of none of the labels.
    """

    predictions: tuple[Prediction, ...]
    labels: tuple[Scalar, ...]
    golds: tuple[Value | None, ...]
    sure: Floats
    right: Bools
    known: Bools
    outside: Bools

    @classmethod
    def of(cls, record: RunRecord, outside: Sequence[bool]) -> _Rows:
        """Read a record."""
        pairs = list(zip(record.predictions, record.golds, strict=True))
        right = [p.label is not None and label_key(p.label) == label_key(gold) for p, gold in pairs]
        return cls(
            record.predictions,
            record.labels,
            record.golds,
            confidences(record.predictions),
            np.array(right, np.bool_),
            np.array([gold is not None for gold in record.golds], np.bool_),
            np.array(outside, np.bool_),
        )

    @property
    def scored(self) -> Bools:
        """(n,) whether there are probabilities."""
        return np.array([p.log_p is not None and p.label is not None for p in self.predictions])

    def probabilities(self, which: Bools) -> Floats:
        """(m, k) of some rows that are scored."""
        found = [self.predictions[place].log_p or () for place in np.flatnonzero(which)]
        return np.exp(np.array(found, np.float64).reshape(-1, len(self.labels)))

    def places(self, which: Bools) -> NDArray[np.int64]:
        """(m,) the place of the gold label of some rows that have one."""
        index = positions(self.labels)
        golds = [self.golds[place] for place in np.flatnonzero(which)]
        return np.array([index[label_key(gold)] for gold in golds], np.int64)

    def ids(self, which: Bools) -> list[str]:
        """The ids of some rows."""
        return [self.predictions[place].example_id for place in np.flatnonzero(which)]


def _abstaining(
    wanted: float, goal: Goal, rows: _Rows, tried: _Rows
) -> tuple[Abstaining, tuple[bool, ...]]:
    own = rows.sure[rows.known], rows.right[rows.known]
    threshold = abstain_threshold(*own, wanted, goal)
    plain = abstain_threshold(*own, wanted, "empirical accuracy") if goal == "accuracy" else None
    answered = threshold.answers(tried.sure)
    kept = answered & tried.known
    n, hits = int(kept.sum()), int((kept & tried.right).sum())
    found = Abstaining(
        threshold,
        plain,
        coverage_curve(tried.sure[tried.known], tried.right[tried.known]),
        share("answered", n, int(tried.known.sum())),
        share("accuracy_of_answered", hits, n),
    )
    return found, tuple((~answered).tolist())


def _label_sets(
    level: float, method: Method, rows: _Rows, tried: _Rows
) -> tuple[LabelSets, tuple[tuple[Scalar, ...] | None, ...]]:
    own, scored = rows.known & rows.scored, tried.scored
    rule = conformal(
        rows.probabilities(own), rows.places(own), level, draws_of(rows.ids(own)), method
    )
    sets = rule.sets(tried.probabilities(scored), draws_of(tried.ids(scored)))
    known = tried.known[scored]
    report = set_report(sets[known], tried.places(scored & tried.known), tried.labels)
    named: list[tuple[Scalar, ...] | None] = [None] * len(tried.predictions)
    for place, line in zip(np.flatnonzero(scored), sets, strict=True):
        named[place] = tuple(tried.labels[at] for at in np.flatnonzero(line))
    return LabelSets(rule, report, int((tried.known & ~scored).sum())), tuple(named)


def _scope(label: Scalar, rows: _Rows, tried: _Rows) -> tuple[OutOfScope, tuple[bool, ...]]:
    inside, outside = rows.sure[rows.known], rows.sure[rows.outside]
    if len(outside):
        above = balanced_threshold(inside, outside)
        rule = f"best balanced accuracy on them and {len(outside):,} rows of none of the labels"
    else:
        above, rule = keeping_threshold(inside), "keeps 95% of them"
    which = tried.known | tried.outside
    scope = scope_of(tried.sure[which], tried.known[which], tried.right[which], above)
    return OutOfScope(label, rule, scope), tuple((tried.sure <= above).tolist())
