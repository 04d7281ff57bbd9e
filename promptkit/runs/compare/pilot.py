"""A pilot: every entry is tried on a few rows, so that the plan can say what a cell will take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from promptkit.protocols import Step
from promptkit.runs.compare.cells import Bench
from promptkit.runs.compare.nouns import Cell, Draw, Entry
from promptkit.runs.compare.store import CellStore
from promptkit.runs.compare.timing import Timing

#: Training rows of a pilot's fits; the first also loads the model.
FIRST, SECOND = 8, 48
#: Held-out rows that a pilot predicts.
HELD = 16
#: Seconds of training steps after which a pilot's fit is not waited for.
LONG = 2.0
#: Of fits that take longer than so many seconds it is not asked what they save the second time.
SHORT = 1.0


def run_pilot(
    bench: Bench,
    entries: Sequence[Entry],
    draw: Draw,
    key_of: Callable[[Entry], str],
    store: CellStore | None,
    on_entry: Callable[[Entry], None],
    measure: bool = True,
) -> dict[str, Timing]:
    """What each entry takes, by its name; a stored pilot is not run again.

    Args:
        bench: Computes cells.
        entries: What is tried.
        draw: Whose rows.
        key_of: Names an entry in the store.
        store: Where pilots are kept, if anywhere.
        on_entry: Told which entry is being tried.
        measure: Whether what is not stored is measured.
    """
    timings = {}
    for entry in entries:
        timing = timings[entry.name] = Timing()
        key = key_of(entry)
        known = store.pilot(key) if store else None
        if (known is None or "cells" not in known) and measure:
            on_entry(entry)
            known = {"cells": _measured(bench, entry, draw)}
            if store:
                store.add_pilot(key, known)
        for cell in (known or {}).get("cells", ()):
            timing.add(**cell)
    for entry in entries:
        alike = [timings[other.name] for other in entries if other.model == entry.model]
        timings[entry.name].assume(max(one.row_seconds for one in alike))
    return timings


#: What is kept of a pilot's cell.
_KEYS = ("n_train", "fit_seconds", "predict_seconds", "n_held", "fresh", "new")


class _Enough(Exception):
    """A fit has gone on for long enough to tell how long all of it would take."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


def _measured(bench: Bench, entry: Entry, draw: Draw) -> list[dict[str, Any]]:
    """What `Timing.add` takes of each cell; nothing where the entry fails.

    The first cell loads the model as well. Its fit is done again unless one with more rows took as
    long: then loading was little of it. A fit that tells its steps is not waited for, and one that
    is over soon is done a second time, to see what it saves to have read the rows.
    """
    problems, found = [], []

    def cell(size: int, part: int, fresh: bool = True) -> Cell:
        rows = draw.held[part * HELD : (part + 1) * HELD] or draw.held[:HELD]
        train, number = draw.train[: size if entry.fits else 0], 0 if fresh else 1
        try:
            made = bench.cell(
                entry, size, number, train, rows, on_step=_Steps(), fresh=fresh, priced=False
            )
        except _Enough as enough:
            made = Cell(entry.name, size, number, len(train), (), enough.seconds, 0.0)
        problems.append(made.problem)
        return made

    def take(made: Cell, fresh: bool = True, new: bool = True) -> None:
        rows, told = len(made.predicted), (made.n_train, made.fit_seconds, made.predict_seconds)
        found.append(dict(zip(_KEYS, (*told, rows, fresh, new), strict=True)))

    first, second = cell(FIRST, 0), cell(SECOND, 1)
    take(second)
    if second.fit_seconds < SHORT:
        take(cell(SECOND, 1, fresh=False), fresh=False, new=False)
    if entry.fits and second.fit_seconds < first.fit_seconds:
        take(cell(FIRST, 2))
    elif entry.fits:
        take(replace(first, predicted=(), predict_seconds=0.0))
    return [] if any(problems) else found


class _Steps:
    """Looks on as a fit goes, and ends it when it has seen enough."""

    def __init__(self) -> None:
        self._begun = self._first = time.perf_counter()

    def __call__(self, step: Step) -> None:
        now = time.perf_counter()
        if step.done <= 1:
            self._first = now  # what came before was loading, and the first step is a slow one
            return
        if now - self._first > LONG and step.done < step.total:
            each = (now - self._first) / (step.done - 1)
            raise _Enough(self._first - self._begun + each * (step.total - 1))
