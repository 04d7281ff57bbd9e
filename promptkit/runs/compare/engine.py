"""Runs a comparison: rows, draws, pilot, plan, cells, lines, verdict."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from promptkit.errors import Interrupted, SpecError
from promptkit.metrics.detectable import detectable_by_folds, detectable_on_rows
from promptkit.row_text import text_of
from promptkit.runs.compare.cells import Bench
from promptkit.runs.compare.chosen_models import models_of
from promptkit.runs.compare.commands import compare_command
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.draws import cross_validation, fixed_test
from promptkit.runs.compare.entries import entries_for
from promptkit.runs.compare.firmness import firmness_of, told
from promptkit.runs.compare.grid import Grid
from promptkit.runs.compare.growth import advice_for, growths_of
from promptkit.runs.compare.keys import cell_name, comparison_name, entry_name, packages
from promptkit.runs.compare.ledger import accounts_of
from promptkit.runs.compare.lines import final_line, lines_of
from promptkit.runs.compare.nouns import Cell, Design, Draw, Entry, Plan, Size
from promptkit.runs.compare.pilot import run_pilot
from promptkit.runs.compare.planning import cells_for, within_budget
from promptkit.runs.compare.processes import helpers
from promptkit.runs.compare.rows import Rows, rows_of
from promptkit.runs.compare.spec import CompareSpec
from promptkit.runs.compare.store import CellStore
from promptkit.runs.compare.verdict import verdict_of, with_more
from promptkit.runs.compare.working import Ready, Shift, Watch, timed


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
    processes: int = 1,
) -> Comparison:
    """Compare; what other workers compute meanwhile is taken up.

    Args:
        asked: What to compare.
        root: Where cells are kept; see `CellStore`.
        watch: Looks on.
        pilot: Whether to predict times; without, a budget sees what cells took, and no more.
        processes: Processes of this machine that compute side by side.

    Raises:
        Interrupted: Ctrl-C; finished cells are stored.
        PromptkitError: Rows, options or store failed. An entry that fails is a problem in its
            line, and ends nothing.
    """
    watch = watch or Watch()
    rows, draws, name = _drawn(asked)
    with CellStore(name, root).open(fresh=asked.fresh) as store:
        ready = _ready(asked, rows, draws, name, store, watch, pilot)
        shift = Shift(ready, store, watch)
        begun = time.monotonic()
        try:
            with helpers(asked, root, processes):
                shift.work()
        except KeyboardInterrupt as error:
            raise Interrupted(len(shift.cells), len(ready.plan.cells), what="cells") from error
        seconds, stored = time.monotonic() - begun, len(shift.cells) - shift.computed
        return _concluded(ready, shift.cells, seconds, stored)


def help_comparison(
    asked: CompareSpec, *, root: str | Path | None = None, watch: Watch | None = None
) -> tuple[int, int]:
    """Compute cells of a comparison until none is left that nobody has.

    Nothing is tried beforehand, and what other workers have is not waited for: this is what further
    processes, machines or tasks of a cluster do.

    Args:
        asked: What is compared, as all workers were told it.
        root: Where cells are kept, the same for all workers.
        watch: Looks on.

    Returns:
        Cells that were computed here, and cells that are yet to be finished by others.

    Raises:
        Interrupted: Ctrl-C; finished cells are stored.
        PromptkitError: Rows, options or store failed.
    """
    watch = watch or Watch()
    rows, draws, name = _drawn(asked)
    with CellStore(name, root).open() as store:
        ready = _ready(asked, rows, draws, name, store, watch, pilot=False)
        shift = Shift(ready, store, watch, waits=False)
        try:
            shift.work()
        except KeyboardInterrupt as error:
            raise Interrupted(len(shift.cells), len(ready.plan.cells), what="cells") from error
        return shift.computed, len(ready.plan.cells) - len(shift.cells)


def _drawn(asked: CompareSpec) -> tuple[Rows, tuple[Draw, ...], str]:
    if asked.max_price is not None and not asked.prices.are_known:
        raise SpecError("--max-price needs --prices, such as --prices hour=0.4,currency=EUR")
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
    timings = run_pilot(
        bench, entries, draws[0], lambda entry: keys[entry.name], store, watch.piloting, pilot
    )
    design: Design = "test" if rows.held else "cv"
    smallest = min(len(draw.train) for draw in draws)
    sizes, notes = _sizes(asked.sizes, smallest)

    def seconds(entry: Entry, n_train: int, n_held: int) -> float:
        return timings[entry.name].seconds(n_train, n_held)

    cells = cells_for(entries, draws, sizes, design, seconds)
    cells = timed(cells, timings, lambda x: cell_name(keys[x.entry.name], x.size, x.draw), store)
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


def _concluded(ready: Ready, cells: Sequence[Cell], seconds: float, from_store: int) -> Comparison:
    plan, golds = ready.plan, ready.rows.golds()
    order = {ready.key(cell): place for place, cell in enumerate(plan.cells)}
    cells = sorted(
        cells, key=lambda x: order[cell_name(ready.keys[x.entry], x.size, x.draw)]
    )  # others' cells come in as they are done
    done = {(cell.entry, cell.size, cell.draw) for cell in cells}
    plan = replace(
        plan,
        cells=tuple(
            replace(cell, dropped=(cell.entry.name, cell.size, cell.draw) not in done)
            for cell in plan.cells
        ),
    )
    lines = tuple(lines_of(plan, cells, golds, ready.draws))
    asked, grid = ready.asked, Grid(cells, golds, ready.draws)
    accounts = accounts_of([final_line(lines, x) for x in plan.entries], cells, asked.prices)
    growths = growths_of(plan, grid)
    verdict = verdict_of(plan, lines, grid, asked, accounts)
    advice = firmness = None
    if verdict.entry is not None:
        advice = advice_for(plan, growths, verdict.entry)
        firmness = firmness_of(plan, lines, cells, grid, asked, accounts)
        verdict = with_more(verdict, advice, told(firmness, verdict.entry.name))
    return Comparison(
        plan=plan,
        lines=lines,
        recommendation=verdict,
        cells=tuple(cells),
        golds=golds,
        fingerprint=ready.fingerprint,
        packages=packages(),
        notes=_notes(plan, cells),
        seconds=seconds,
        from_store=from_store,
        origin={"data": ready.rows.origin, "template": ready.rows.template.name},
        draws=ready.draws,
        ids=tuple(row.id for row in ready.rows.examples),
        texts=tuple(map(text_of, ready.rows.examples)),
        accounts=accounts,
        prices=asked.prices,
        growths=growths,
        advice=advice,
        firmness=firmness,
        command=compare_command(asked),
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
