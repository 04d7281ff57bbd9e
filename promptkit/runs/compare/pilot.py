"""A pilot: every entry is tried on a few rows, so that the plan can say what a cell will take."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from promptkit.runs.compare.cells import Bench
from promptkit.runs.compare.nouns import Cell, Draw, Entry
from promptkit.runs.compare.store import CellStore
from promptkit.runs.compare.timing import Timing

#: Training rows of the two fits of a pilot; the first also loads the model.
FIRST, SECOND = 8, 24
#: Held-out rows that a pilot predicts.
HELD = 8


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


def _measured(bench: Bench, entry: Entry, draw: Draw) -> list[tuple[int, float, int, float]]:
    """Rows and seconds of fits and predictions; none where the entry fails.

    The first fit loads the model as well, and is done again unless the second took as long with
    more rows: then loading was little of it.
    """
    held = draw.held[:HELD]

    def cell(size: int) -> Cell:
        return bench.cell(entry, size, 0, draw.train[:size], held)

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
