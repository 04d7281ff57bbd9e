"""A pilot: every entry is tried on a few rows, so that the plan can say what a cell will take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from promptkit.protocols import Step
from promptkit.row_text import text_of
from promptkit.runs.compare.cells import Bench
from promptkit.runs.compare.nouns import Cell, Draw, Entry
from promptkit.runs.compare.store import CellStore
from promptkit.runs.compare.timing import Timing

#: Training rows of a pilot's fits; the first also loads the model.
FIRST, SECOND = 8, 48
#: Held-out rows that a pilot predicts, and where that is quick: many rows share a batch, and take
#: less each.
HELD, MANY = 16, 256
#: Seconds of training steps after which a pilot's fit is not waited for.
LONG = 2.0
#: Seconds below which few rows are predicted quickly.
QUICK = 1.0
#: Of fits that take longer than so many seconds it is not asked what they save the second time.
SHORT = 3.0


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
_KEYS = ("n_train", "fit_seconds", "n_held", "predict_seconds", "fresh", "new", "rest")


class _Enough(Exception):
    """A fit has gone on for long enough to tell how long all of it would take."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


def _measured(bench: Bench, entry: Entry, draw: Draw) -> list[dict[str, Any]]:
    """What `Timing.add` takes of each cell; nothing where the entry fails.

    The first cell loads the model as well, and says no more than how many rows can be predicted
    without much waiting. Every entry reads the same held-out rows in the same order, so that what
    one has read another finds known, as it will be. A fit that tells its steps is not waited for,
    and one that is over soon is done a second time, to see what it saves to have read the rows.
    """
    problems, found = [], []

    def cell(size: int, rows: Sequence[int], fresh: bool = True, priced: bool = False) -> Cell:
        train, number = draw.train[: size if entry.fits else 0], 0 if fresh else 1
        try:
            made = bench.cell(
                entry, size, number, train, rows, on_step=_Steps(), fresh=fresh, priced=priced
            )
        except _Enough as enough:
            made = Cell(entry.name, size, number, len(train), (), enough.seconds, 0.0)
        problems.append(made.problem)
        return made

    def take(made: Cell, predicts: bool, fresh: bool = True, new: bool = True) -> None:
        held = (len(made.predicted), made.predict_seconds) if predicts else (0, 0.0)
        rest = made.seconds - made.fit_seconds - made.predict_seconds if made.row_work else None
        told = (made.n_train, made.fit_seconds, *held, fresh, new, rest)
        found.append(dict(zip(_KEYS, told, strict=True)))

    held = of_usual_length(bench, draw.held)
    few, more = held[:HELD], held[HELD : 2 * HELD] or held[:HELD]
    first, second = cell(FIRST, few), cell(SECOND, more)
    is_quick = second.predict_seconds < QUICK
    many = MANY if is_quick else HELD
    rows = held[2 * HELD : 2 * HELD + many] or held[:many]
    is_short = second.fit_seconds < SHORT
    # the first prediction after a fit may read demonstrations too
    take(second, predicts=not is_short)
    if is_short:
        take(cell(FIRST, rows, priced=is_quick), predicts=True)
        take(cell(SECOND, rows, fresh=False), predicts=True, fresh=False, new=False)
        if entry.fits:
            take(cell(FIRST, few, fresh=False), predicts=True, fresh=False, new=False)
    elif second.fit_seconds < first.fit_seconds:
        take(cell(FIRST, rows), predicts=True)
    else:
        take(first, predicts=False)
    return [] if any(problems) else found


def of_usual_length(bench: Bench, held: Sequence[int]) -> list[int]:
    """The held-out places, those first whose texts are about as long as the mean.

    Many rows are read in batches of like length. A few at random would be padded to the longest of
    them, and take up to twice as long each.
    """
    lengths = {place: len(text_of(bench.rows.examples[place])) for place in held}
    mean = sum(lengths.values()) / max(len(lengths), 1)
    return sorted(held, key=lambda place: (abs(lengths[place] - mean), place))


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
