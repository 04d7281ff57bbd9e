"""Which cells there are, in which order they are computed, and which a budget leaves out.

The order is the order of what the verdict needs most:

1. baselines, zero-shot prompts and features, at all sizes and draws: no budget drops these;
2. the other entries with all labelled rows, draw by draw, within a draw the cheapest first;
3. the other entries with fewer rows, the largest size first, draw by draw, the cheapest first.

A budget takes cells in this order for as long as their predicted seconds fit, and drops the rest.
An entry's later draw is never computed where its earlier one was dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from promptkit.runs.compare.nouns import Design, Draw, Entry, Planned, Size

#: The draw of an entry that labelled rows do not change: it predicts every held-out row once.
EVERY_ROW = -1

Seconds = Callable[[Entry, int, int], float]


def cells_for(
    entries: Sequence[Entry],
    draws: Sequence[Draw],
    sizes: Sequence[Size],
    design: Design,
    seconds: Seconds,
) -> list[Planned]:
    """All cells in the order in which they are computed.

    Args:
        entries: In the order of simplicity.
        draws: In order.
        sizes: Numbers of labelled rows; None is all. 0 stands for entries that do not fit.
        design: On a fixed test set all rows can be drawn in one way only.
        seconds: Predicted seconds for an entry, training rows and held-out rows.
    """
    n_held = len({place for draw in draws for place in draw.held})
    cells = []
    for entry in entries:
        if not entry.fits:
            cells.append(Planned(entry, 0, EVERY_ROW, 0, n_held, seconds(entry, 0, n_held)))
            continue
        for size in sizes:
            if size == 0:
                continue
            for draw in draws[:1] if design == "test" and size is None else draws:
                n = len(draw.train) if size is None else size
                held = len(draw.held)
                cells.append(Planned(entry, size, draw.index, n, held, seconds(entry, n, held)))
    return list(_marked(sorted(cells, key=_urgency), draws))


def _marked(cells: Sequence[Planned], draws: Sequence[Draw]) -> Iterator[Planned]:
    """The cells, and whether their entry comes to the held-out rows for the first time."""
    held = {draw.index: frozenset(draw.held) for draw in draws}
    read: dict[str, set[int]] = {}
    for cell in cells:
        known = read.setdefault(cell.entry.name, set())
        yield replace(cell, new=not held.get(cell.draw, frozenset([-1])) <= known)
        known |= held.get(cell.draw, frozenset())


def _urgency(cell: Planned) -> tuple[float, ...]:
    if cell.entry.always:
        return 0, cell.entry.rank, cell.draw, -cell.n_train
    if cell.size is None:
        return 1, 0, cell.draw, cell.seconds
    return 2, -cell.size, cell.draw, cell.seconds


def within_budget(
    cells: Sequence[Planned], budget: float | None, spent: float = 0.0
) -> list[Planned]:
    """The cells with those marked that no longer fit.

    Args:
        cells: In the order of `cells_for`.
        budget: Seconds allowed; None is no limit.
        spent: Seconds that are gone already.
    """
    if budget is None:
        return list(cells)
    kept: list[Planned] = []
    total, out = spent, set[tuple[str, Size]]()
    for cell in cells:
        key = cell.entry.name, cell.size
        fits = cell.entry.always or (key not in out and total + cell.seconds <= budget)
        if fits:
            total += cell.seconds
        else:
            out.add(key)
        kept.append(replace(cell, dropped=not fits))
    return kept
