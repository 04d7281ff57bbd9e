"""How far a score moves when a model is asked in other ways that are as good as the chosen one.

A number from one template, one draw of demonstrations and one order of labels is one of many that
somebody else could have reported. Here a method is run over all combinations of such choices, on
the same rows, and the variance between the runs is told apart by what makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import Interrupted
from promptkit.metrics import metrics_named
from promptkit.metrics.factorial import (
    Parts,
    Range,
    agreement,
    chance_sd,
    changed,
    parts_of,
    range_of,
    row_error,
    unanimous,
)
from promptkit.prompts import Template
from promptkit.runs.build import build
from promptkit.runs.runner import run
from promptkit.runs.spec import EvalSpec
from promptkit.runs.store import Store
from promptkit.runs.ways import Factor, Ways, ways_of
from promptkit.types import RunRecord, Score, label_key

#: Called with (runs done, runs in all, what is being done).
OnRun = Callable[[int, int, str], None]
#: Metrics whose spread is told, where runs have them: those of which more is better.
SPREAD = (
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "exact_match",
    "token_f1",
    "rouge_l",
    "number",
)


@dataclass(frozen=True)
class Way:
    """One run of them.

    Args:
        levels: The name of each factor's level, in the order of the factors.
        fingerprint: The run's, by which it is stored.
        scores: All its scores, the main one first.
        n_unscored: Rows that it did not answer.
        from_store: Whether it was answered without computing.
        seconds: What its answers took, when they were computed.
    """

    levels: tuple[str, ...]
    fingerprint: str
    scores: tuple[Score, ...]
    n_unscored: int
    from_store: bool
    seconds: float

    def find(self, metric: str) -> Score | None:
        """The score of that name, if the run has it."""
        return next((score for score in self.scores if score.metric == metric), None)


@dataclass(frozen=True)
class Robustness:
    """A method's score over ways of asking.

    Args:
        factors: What was varied.
        left_out: What was not, and why.
        ways: The runs, the last factor's levels changing fastest.
        ranges: Best, median, worst and spread by metric, the main one first.
        parts: The variance of the main metric between runs, by factor.
        changed: For each factor, how probable it is that a row's answer changes with it alone.
        row_error: Standard error of one run's main score over other rows.
        chance_sd: Standard deviation between runs that these rows would show if all were equally
            good.
        agreement: How probable it is that two of the runs answer a row alike.
        unanimous: Share of rows that all runs answer alike.
        record: The run as it was asked for, which is the first.
        notes: Facts that a reader must know.
    """

    factors: tuple[Factor, ...]
    left_out: tuple[str, ...]
    ways: tuple[Way, ...]
    ranges: dict[str, Range]
    parts: Parts
    changed: tuple[float, ...]
    row_error: float | None
    chance_sd: float | None
    agreement: float
    unanimous: float
    record: RunRecord
    notes: tuple[str, ...]

    @property
    def metric(self) -> str:
        """The main metric."""
        return next(iter(self.ranges))

    def ranked(self) -> list[Way]:
        """The runs, the best first; equal ones in the order in which they were run."""
        return sorted(self.ways, key=lambda way: -way.scores[0].value)

    def as_asked(self) -> Way:
        """The run as it was asked for."""
        return self.ways[0]


def _unwatched(done: int, total: int, what: str) -> None:
    pass


def robustness(
    asked: EvalSpec, store: Store | None = None, on_run: OnRun = _unwatched
) -> Robustness:
    """Run all combinations; each is a run like any other, and is stored as one.

    Args:
        asked: What the user asked for.
        store: Where runs are kept; None keeps nothing.
        on_run: Told how far it is.

    Raises:
        SpecError: Nothing can be varied, or the strategy learns from rows.
        Interrupted: Ctrl-C; finished runs are stored.
        PromptkitError: Data, model or store failed.
    """
    ways = ways_of(asked)
    combined = list(product(*(range(len(factor.levels)) for factor in ways.factors)))
    records: list[RunRecord] = []
    for places in combined:
        name = ", ".join(_names(ways.factors, places))
        on_run(len(records), len(combined), name)

        def on_progress(done: int, total: int, name: str = name) -> None:
            told = f"{name}: {done:,} of {total:,} rows"
            on_run(len(records), len(combined), told)

        try:
            trial = build(ways.asked_at(places))
            records.append(run(trial, store, fresh=asked.fresh, on_progress=on_progress))
        except (Interrupted, KeyboardInterrupt) as error:
            kept = "are stored" if store else "were done, and nothing is kept of them"
            raise Interrupted(len(records), len(combined), "runs", kept) from error
    on_run(len(records), len(combined), "done")
    return concluded(ways, [_names(ways.factors, places) for places in combined], records)


def concluded(
    ways: Ways, names: Sequence[tuple[str, ...]], records: Sequence[RunRecord]
) -> Robustness:
    """What the runs say together.

    Args:
        ways: What was varied.
        names: The levels of each run.
        records: The runs, the last factor's levels changing fastest.
    """
    shape = tuple(len(factor.levels) for factor in ways.factors)
    metrics = _told(records[0])
    values = {
        metric: [score.value for record in records if (score := record.report.find(metric))]
        for metric in metrics
    }
    worth, answers = _worth(ways.template, records), _answers(records)
    moved = tuple(changed(answers.reshape(*shape, -1), axis) for axis in range(len(shape)))
    return Robustness(
        factors=ways.factors,
        left_out=ways.left_out,
        ways=tuple(_way(*one) for one in zip(names, records, strict=True)),
        ranges={metric: range_of(values[metric]) for metric in metrics},
        parts=parts_of(np.reshape(values[metrics[0]], shape)),
        changed=moved,
        row_error=row_error(worth),
        chance_sd=chance_sd(worth),
        agreement=agreement(answers),
        unanimous=unanimous(answers),
        record=records[0],
        notes=(*ways.notes, *_idle(ways.factors, moved), *_common(records)),
    )


def _names(factors: Sequence[Factor], places: Sequence[int]) -> tuple[str, ...]:
    return tuple(factor.names[place] for factor, place in zip(factors, places, strict=True))


def _way(levels: tuple[str, ...], record: RunRecord) -> Way:
    return Way(
        levels=levels,
        fingerprint=record.spec.fingerprint(),
        scores=tuple(record.report.scores),
        n_unscored=record.report.n_unscored,
        from_store=record.from_store,
        seconds=record.cost.seconds,
    )


def _told(record: RunRecord) -> list[str]:
    """The metrics whose spread is told, the main one first."""
    return [score.metric for score in record.report.scores if score.metric in SPREAD]


def _worth(template: Template, records: Sequence[RunRecord]) -> NDArray[np.float64]:
    """(runs, n) what each scores on each row with a gold label, by the main metric."""
    keys = template.keys.task
    metric = None
    if template.writing:
        metric = next(iter(metrics_named(keys.metrics, keys.tolerance or 0.0).values()))
    table = []
    for record in records:
        row = []
        for gold, one in zip(record.golds, record.predictions, strict=True):
            if gold is None:
                continue
            if metric is None or one.label is None:
                row.append(float(label_key(gold) == label_key(one.label)))
            else:
                right = gold if isinstance(gold, tuple) else (gold,)
                row.append(metric(str(one.label), [str(text) for text in right]))
        table.append(row)
    return np.array(table, dtype=np.float64).reshape(len(records), -1)


def _answers(records: Sequence[RunRecord]) -> NDArray[np.int64]:
    """(runs, n) a number for each answer; no answer is one of its own."""
    numbers: dict[tuple[str, object], int] = {}
    return np.array(
        [
            [numbers.setdefault(label_key(one.label), len(numbers)) for one in record.predictions]
            for record in records
        ],
        dtype=np.int64,
    )


def _idle(factors: Sequence[Factor], moved: Sequence[float]) -> list[str]:
    """Which factors moved no answer at all."""
    return [
        f"{factor.word}: no answer changed with it; perhaps the model does not read what it changes"
        for factor, share in zip(factors, moved, strict=True)
        if not share
    ]


def _common(records: Sequence[RunRecord]) -> list[str]:
    """What every run has to say; what one alone says stands with that run."""
    return [note for note in records[0].notes if all(note in one.notes for one in records)]
