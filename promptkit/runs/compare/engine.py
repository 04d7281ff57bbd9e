"""Runs a comparison: rows, draws, pilot, plan, cells, lines, verdict."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from promptkit.errors import Interrupted, SpecError
from promptkit.metrics.detectable import detectable_by_folds, detectable_on_rows
from promptkit.protocols import Step
from promptkit.runs.compare.cells import Bench
from promptkit.runs.compare.chosen_models import models_of
from promptkit.runs.compare.draws import cross_validation, fixed_test
from promptkit.runs.compare.entries import entries_for
from promptkit.runs.compare.keys import cell_name, comparison_name, entry_name, packages
from promptkit.runs.compare.lines import lines_of, rough_lines
from promptkit.runs.compare.nouns import (
    Cell,
    Comparison,
    Design,
    Draw,
    Entry,
    Line,
    Plan,
    Planned,
    Size,
)
from promptkit.runs.compare.pilot import run_pilot
from promptkit.runs.compare.planning import EVERY_ROW, cells_for, within_budget
from promptkit.runs.compare.rows import Rows, rows_of
from promptkit.runs.compare.spec import CompareSpec
from promptkit.runs.compare.store import CellStore
from promptkit.runs.compare.timing import Timing
from promptkit.runs.compare.verdict import verdict_of


class Watch:
    """Looks on while a comparison runs; this one says nothing."""

    def piloting(self, entry: Entry) -> None:
        """A pilot of this entry begins."""

    def planned(self, plan: Plan) -> None:
        """The plan stands; nothing has been computed yet."""

    def started(self, cell: Planned) -> None:
        """A cell begins."""

    def step(self, step: Step) -> None:
        """A fit within the cell has come so far."""

    def finished(self, cell: Cell, lines: Sequence[Line], seconds_left: float) -> None:
        """A cell ended, or was found in the store; the lines hold means without intervals."""


@dataclass(frozen=True)
class Ready:
    """A comparison that is checked and planned.

    Args:
        asked: What was asked for.
        rows: The rows.
        draws: Training and held-out places.
        bench: Computes cells.
        timings: What each entry takes, by its name.
        keys: The key of each entry, by its name.
        plan: The plan.
        fingerprint: Names the comparison.
        begun: When the pilot began; a budget counts from there.
    """

    asked: CompareSpec
    rows: Rows
    draws: tuple[Draw, ...]
    bench: Bench
    timings: dict[str, Timing]
    keys: dict[str, str]
    plan: Plan
    fingerprint: str
    begun: float


def plan_comparison(
    asked: CompareSpec, *, root: str | Path | None = None, watch: Watch | None = None
) -> Plan:
    """What a comparison would do, and what it would take; a pilot is run for that.

    Raises:
        PromptkitError: The first thing that is wrong.
    """
    watch = watch or Watch()
    rows, draws, name = _drawn(asked)
    with CellStore(name, root).open(fresh=asked.fresh) as store:
        return _ready(asked, rows, draws, name, store, watch).plan


def run_comparison(
    asked: CompareSpec,
    *,
    root: str | Path | None = None,
    watch: Watch | None = None,
    pilot: bool = True,
) -> Comparison:
    """Compare.

    Args:
        asked: What to compare.
        root: Where cells are kept; see `CellStore`.
        watch: Looks on.
        pilot: Whether to predict times; without, a budget sees what cells took, and no more.

    Raises:
        Interrupted: Ctrl-C; finished cells are stored.
        PromptkitError: Rows, options or store failed. An entry that fails is a problem in its
            line, and ends nothing.
    """
    watch = watch or Watch()
    rows, draws, name = _drawn(asked)
    with CellStore(name, root).open(fresh=asked.fresh) as store:
        ready = _ready(asked, rows, draws, name, store, watch, pilot)
        cells: list[Cell] = []
        try:
            return _run(ready, store, watch, cells)
        except KeyboardInterrupt as error:
            raise Interrupted(len(cells), len(ready.plan.cells), what="cells") from error


def _drawn(asked: CompareSpec) -> tuple[Rows, tuple[Draw, ...], str]:
    rows = rows_of(asked)
    if rows.held:
        draws = fixed_test(rows.examples, len(rows.labelled), asked.seeds, asked.seed)
    else:
        draws = cross_validation(rows.examples, asked.folds, asked.seeds, asked.seed)
    folds = 1 if rows.held else asked.folds
    return rows, tuple(draws), comparison_name(rows, folds, asked.seeds, asked.seed)


def _ready(
    asked: CompareSpec,
    rows: Rows,
    draws: tuple[Draw, ...],
    name: str,
    store: CellStore,
    watch: Watch,
    pilot: bool = True,
) -> Ready:
    begun = time.monotonic()
    models, chosen = models_of(asked, rows, device_of(asked))
    entries = entries_for(asked.strategies, models)
    bench = Bench(rows, asked.seed, device_of(asked), asked.dtype)
    keys = {entry.name: entry_name(bench, entry) for entry in entries}
    timings = {entry.name: Timing() for entry in entries}
    if pilot:
        timings = run_pilot(
            bench, entries, draws[0], lambda entry: keys[entry.name], store, watch.piloting
        )
    design: Design = "test" if rows.held else "cv"
    smallest = min(len(draw.train) for draw in draws)
    sizes, notes = _sizes(asked.sizes, smallest)

    def seconds(entry: Entry, n_train: int, n_held: int) -> float:
        return timings[entry.name].seconds(n_train, n_held)

    cells = cells_for(entries, draws, sizes, design, seconds)
    cells = _timed(cells, timings, keys, store)
    n_held = len(rows.held) or len(rows.labelled)
    plan = Plan(
        data=rows.name,
        design=design,
        n_rows=len(rows.labelled),
        n_held=n_held,
        labels=rows.labels,
        folds=1 if rows.held else asked.folds,
        repeats=asked.seeds,
        entries=tuple(entries),
        sizes=sizes,
        cells=tuple(within_budget(cells, asked.budget, time.monotonic() - begun)),
        budget_seconds=asked.budget,
        detectable=_detectable(asked, rows),
        notes=(*rows.notes, *chosen, *notes),
    )
    return Ready(asked, rows, draws, bench, timings, keys, plan, name, begun)


def device_of(asked: CompareSpec) -> str:
    """Where models run: on the CPU where no GPU may be used, so that all figures are the CPU's.

    Raises:
        SpecError: A GPU is both asked for and ruled out.
    """
    if asked.gpu:
        return asked.device
    if asked.device not in ("auto", "cpu"):
        raise SpecError(f"--device {asked.device} with --no-gpu: leave one of them out")
    return "cpu"


def _detectable(asked: CompareSpec, rows: Rows) -> float | None:
    """The smallest difference that the verdict's tests can show: those with all rows."""
    if rows.held:  # all rows can be drawn in one way only, so it is one draw that is tested
        return detectable_on_rows(len(rows.held))
    n_test = len(rows.labelled) / asked.folds
    return detectable_by_folds(
        asked.folds * asked.seeds, n_train=len(rows.labelled) - n_test, n_test=n_test
    )


def _sizes(asked: Sequence[Size], n_train: int) -> tuple[tuple[Size, ...], list[str]]:
    """The sizes that the rows allow, in rising order, all rows last; what was left out."""
    numbers = sorted({size for size in asked if size is not None})
    kept = [size for size in numbers if size < n_train]
    left = [str(size) for size in numbers if size >= n_train]
    notes = []
    if left:
        notes.append(f"sizes {', '.join(left)} are left out: a draw has {n_train} rows in all")
    return (*kept, None), notes  # the verdict is about all rows, so they always stand


def _run(ready: Ready, store: CellStore, watch: Watch, cells: list[Cell]) -> Comparison:
    plan = ready.plan
    watch.planned(plan)
    begun = time.monotonic()
    from_store = 0
    todo = list(plan.cells)
    while todo:
        todo = _timed(todo, ready.timings, ready.keys, store)
        todo = within_budget(todo, plan.budget_seconds, time.monotonic() - ready.begun)
        planned, todo = todo[0], todo[1:]
        key = cell_name(ready.keys[planned.entry.name], planned.size, planned.draw)
        found = store.cell(key)
        if found is None and planned.dropped:
            continue
        if found is None:
            watch.started(planned)
            found = _compute(ready, planned, watch)
            store.add(key, found)
        else:
            from_store += 1
        found = replace(found, entry=planned.entry.name)
        cells.append(found)
        ready.timings[planned.entry.name].add_cell(found)
        left = sum(cell.seconds for cell in todo if not cell.dropped)
        watch.finished(found, rough_lines(plan, cells, ready.rows.golds(), ready.draws), left)
    return _concluded(ready, cells, time.monotonic() - begun, from_store)


def _timed(
    cells: Sequence[Planned],
    timings: Mapping[str, Timing],
    keys: Mapping[str, str],
    store: CellStore,
) -> list[Planned]:
    """The cells with what is known by now about the time that they take; stored ones take none."""
    timed = []
    for cell in cells:
        stored = store.cell(cell_name(keys[cell.entry.name], cell.size, cell.draw))
        seconds = timings[cell.entry.name].seconds(cell.n_train, cell.n_held) if not stored else 0.0
        timed.append(replace(cell, seconds=seconds, dropped=False))
    return timed


def _compute(ready: Ready, planned: Planned, watch: Watch) -> Cell:
    if planned.draw == EVERY_ROW:
        train: tuple[int, ...] = ()
        held = tuple(sorted({place for draw in ready.draws for place in draw.held}))
    else:
        draw = ready.draws[planned.draw]
        train, held = draw.train[: planned.n_train], draw.held
    return ready.bench.cell(
        planned.entry, planned.size, planned.draw, train, held, on_step=watch.step
    )


def _concluded(ready: Ready, cells: Sequence[Cell], seconds: float, from_store: int) -> Comparison:
    plan, golds = ready.plan, ready.rows.golds()
    done = {(cell.entry, cell.size, cell.draw) for cell in cells}
    plan = replace(
        plan,
        cells=tuple(
            replace(cell, dropped=(cell.entry.name, cell.size, cell.draw) not in done)
            for cell in plan.cells
        ),
    )
    lines = tuple(lines_of(plan, cells, golds, ready.draws))
    return Comparison(
        plan=plan,
        lines=lines,
        recommendation=verdict_of(plan, lines, cells, golds, ready.draws, ready.asked),
        cells=tuple(cells),
        golds=golds,
        fingerprint=ready.fingerprint,
        packages=packages(),
        notes=_notes(plan, cells),
        seconds=seconds,
        from_store=from_store,
        origin={"data": ready.rows.origin, "template": ready.rows.template.name},
    )


def _notes(plan: Plan, cells: Sequence[Cell]) -> tuple[str, ...]:
    notes = []
    dropped = sum(cell.dropped for cell in plan.cells)
    if dropped:
        notes.append(f"{dropped} of {len(plan.cells)} cells were dropped to keep the budget")
    unscored = sum(place < 0 for cell in cells for place in cell.predicted)
    if unscored:
        notes.append(f"{unscored} predictions are missing: unscored rows count as wrong")
    return tuple(notes)
