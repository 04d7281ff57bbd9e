"""Runs a trial: evidence chunk by chunk into the store, predictions and scores once all is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from promptkit.errors import Interrupted
from promptkit.metrics import Report
from promptkit.protocols import FitContext, OnStep, Strategy, unwatched
from promptkit.runs.kinds import report_of
from promptkit.runs.record import to_json
from promptkit.runs.rows import row_text
from promptkit.runs.store import Store, StoredRun
from promptkit.runs.trial import Trial
from promptkit.types import Cost, Evidence, Example, Prediction, RunRecord

#: Called with (rows done, rows in all).
OnProgress = Callable[[int, int], None]


def _silent(done: int, total: int) -> None:
    pass


def run(
    trial: Trial,
    store: Store | None = None,
    *,
    fresh: bool = False,
    on_progress: OnProgress = _silent,
    on_step: OnStep = unwatched,
) -> RunRecord:
    """Run a trial, or answer from the store.

    Args:
        trial: What to run.
        store: Where evidence is kept; None keeps nothing.
        fresh: Compute anew.
        on_progress: Told how many rows are done, at the start and after every chunk.
        on_step: Told how far a fit has come.

    Raises:
        Interrupted: Ctrl-C; finished rows are stored.
        PromptkitError: Data, model or store failed.
    """
    if store is not None:
        with store.run(trial.spec).writing(fresh=fresh) as stored:
            return _run_stored(trial, stored, on_progress, on_step)
    strategy, fit_cost = _fitted(trial, FitContext(on_step=on_step))
    evidence: list[Evidence] = []
    cost = Cost()
    for found, spent in _chunks(trial, strategy, 0, on_progress):
        evidence += found
        cost += spent
    return conclude(trial, strategy, evidence, cost, fit_cost)


def _run_stored(
    trial: Trial, stored: StoredRun, on_progress: OnProgress, on_step: OnStep
) -> RunRecord:
    ids = [example.id for example in trial.data]
    evidence = stored.evidence(ids, trial.chunk)
    if len(evidence) == len(ids):
        strategy = trial.strategy(False)
        costs = stored.cost(), stored.fit_cost()
        record = conclude(trial, strategy, evidence, *costs, from_store=True)
        if not stored.complete:
            stored.finish(to_json(record))
        return record
    stored.keep_only(len(evidence))
    try:
        # a run that goes on fits again: the same rows and seed give the same strategy
        strategy, fit_cost = _fitted(trial, FitContext(stored.checkpoints(), on_step))
        stored.fitted(fit_cost)
        for found, spent in _chunks(trial, strategy, len(evidence), on_progress):
            stored.append(found, spent, len(evidence) + len(found))
            evidence += found
    except KeyboardInterrupt as error:
        raise Interrupted(len(evidence), len(ids)) from error
    record = conclude(trial, strategy, evidence, stored.cost(), stored.fit_cost())
    stored.finish(to_json(record))
    return record


def _fitted(trial: Trial, context: FitContext) -> tuple[Strategy, Cost]:
    """The strategy, ready to be asked, and what it took to make it so."""
    strategy = trial.strategy(True)
    if not trial.fits:
        return strategy, Cost()
    before = strategy.cost
    strategy.fit(trial.train.examples if trial.train else (), context)
    return strategy, strategy.cost - before


def _chunks(
    trial: Trial, strategy: Strategy, start: int, on_progress: OnProgress
) -> Iterator[tuple[Sequence[Evidence], Cost]]:
    """The evidence of the rows from ``start`` on, chunk by chunk, and what each took."""
    rows: Sequence[Example] = trial.data.examples
    on_progress(start, len(rows))
    for first in range(start, len(rows), trial.chunk):
        before = strategy.cost
        evidence = strategy.gather(rows[first : first + trial.chunk])
        yield evidence, strategy.cost - before
        on_progress(min(first + trial.chunk, len(rows)), len(rows))


def conclude(
    trial: Trial,
    strategy: Strategy,
    evidence: Sequence[Evidence],
    cost: Cost,
    fit_cost: Cost,
    *,
    from_store: bool = False,
) -> RunRecord:
    """Predictions and scores, from evidence alone."""
    rows = trial.data.examples
    predictions = tuple(strategy.conclude(rows, evidence))
    report = report_on(trial, predictions)
    if trial.extra_scores is not None:
        report = replace(report, scores=(*trial.extra_scores(rows, evidence), *report.scores))
    return RunRecord(
        spec=trial.spec,
        labels=trial.template.task.labels,
        golds=trial.golds,
        texts=tuple(row_text(trial.template, row) for row in rows),
        predictions=predictions,
        report=report,
        cost=cost,
        packages=trial.packages,
        notes=trial.notes,
        origin=trial.origin,
        from_store=from_store,
        fit_cost=fit_cost,
    )


def report_on(trial: Trial, predictions: Sequence[Prediction]) -> Report:
    """How good the predictions are, labels or texts."""
    template = trial.template
    train = trial.train.examples if trial.train else ()
    known = [gold for row in train if (gold := template.target(row)) is not None] or None
    return report_of(template, trial.golds, predictions, known)
