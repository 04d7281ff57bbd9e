"""A pilot: every entry is tried on a few rows, so that the plan can say what a cell will take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from promptkit.protocols import Step
from promptkit.runs.compare.cells import Bench
from promptkit.runs.compare.nouns import Cell, Draw, Entry
from promptkit.runs.compare.store import CellStore
from promptkit.runs.compare.timing import Timing

#: Training rows of the two fits of a pilot; the first also loads the model.
FIRST, SECOND = 8, 24
#: Held-out rows that a pilot predicts.
HELD = 8
#: Seconds of training steps after which a pilot's fit is not waited for.
LONG = 2.0


def run_pilot(
    bench: Bench,
    entries: Sequence[Entry],
    draw: Draw,
    key_of: Callable[[Entry], str],
    store: CellStore | None,
    on_entry: Callable[[Entry], None],
) -> dict[str, Timing]:
    """What each entry takes, by its name; a stored pilot is not run again."""
    timings = {}
    for entry in entries:
        timing = timings[entry.name] = Timing()
        key = key_of(entry)
        known = store.pilot(key) if store else None
        if known is None:
            on_entry(entry)
            known = {"points": _measured(bench, entry, draw)}
            if store:
                store.add_pilot(key, known)
        for n, fit, held, predict in known["points"]:
            timing.add(int(n), float(fit), int(held), float(predict))
    return timings


class _Enough(Exception):
    """A fit has gone on for long enough to tell how long all of it would take."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


def _measured(bench: Bench, entry: Entry, draw: Draw) -> list[tuple[int, float, int, float]]:
    """Rows and seconds of fits and predictions; none where the entry fails.

    The first fit loads the model as well, and is done again unless the second took as long with
    more rows: then loading was little of it. A fit that tells its steps is not waited for.
    """
    held = draw.held[:HELD]

    def cell(size: int) -> Cell:
        train = draw.train[:size]
        try:
            return bench.cell(entry, size, 0, train, held, on_step=_Steps())
        except _Enough as enough:
            return Cell(entry.name, size, 0, len(train), (), enough.seconds, 0.0)

    first = cell(FIRST if entry.fits else 0)
    if entry.fits:
        second = cell(SECOND)
        again = second.fit_seconds < first.fit_seconds
        cells = [cell(FIRST) if again else first, second]
    else:
        cells = [cell(0)]
    if any(one.problem for one in (first, *cells)):
        return []
    return [(one.n_train, one.fit_seconds, len(held), one.predict_seconds) for one in cells]


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
