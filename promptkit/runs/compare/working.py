"""Cell by cell: a worker takes the next one that nobody has, for as long as there are any."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from promptkit.protocols import Step
from promptkit.runs.compare.cells import Bench
from promptkit.runs.compare.keys import cell_name
from promptkit.runs.compare.lines import rough_lines
from promptkit.runs.compare.memory import room_for
from promptkit.runs.compare.nouns import Cell, Draw, Entry, Line, Plan, Planned
from promptkit.runs.compare.planning import EVERY_ROW, within_budget
from promptkit.runs.compare.rows import Rows
from promptkit.runs.compare.spec import CompareSpec
from promptkit.runs.compare.store import CellStore
from promptkit.runs.compare.timing import Timing

#: Seconds between two looks at what other workers have done.
PAUSE = 0.5


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

    def waiting(self, cells: int) -> None:
        """So many cells are with other workers, and nothing else is left to do."""


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

    def key(self, cell: Planned) -> str:
        """What the store calls a cell."""
        return cell_name(self.keys[cell.entry.name], cell.size, cell.draw)


class Shift:
    """One worker's work on a comparison.

    Args:
        ready: The comparison.
        store: Where cells are kept, open.
        watch: Looks on.
        waits: Whether it waits for cells that others compute; one that only helps does not.
        room: Whether there is memory for so many bytes more, as `room_for` says.

    Attributes:
        cells: What is done, by others too.
        computed: How many of them this worker computed.
    """

    def __init__(
        self,
        ready: Ready,
        store: CellStore,
        watch: Watch,
        *,
        waits: bool = True,
        room: Callable[[int], bool] = room_for,
    ) -> None:
        self.ready, self.store, self.watch = ready, store, watch
        self.waits, self._room = waits, room
        self.cells: list[Cell] = []
        self.computed = 0
        self._peaks: dict[str, int] = {}

    def work(self) -> None:
        """Compute what is left, the most wanted first, until nothing is."""
        self.watch.planned(self.ready.plan)
        todo = list(self.ready.plan.cells)
        while todo:
            todo, is_further = self._one_further(self._planned(todo))
            if todo and not is_further:
                if not self.waits:
                    return
                self.watch.waiting(len(todo))
                time.sleep(PAUSE)
            self.store.refresh()

    def _planned(self, todo: Sequence[Planned]) -> list[Planned]:
        """With what is known by now about times, and what the budget leaves out."""
        ready = self.ready
        cells = timed(todo, ready.timings, ready.key, self.store)
        return within_budget(cells, ready.plan.budget_seconds, time.monotonic() - ready.begun)

    def _one_further(self, todo: Sequence[Planned]) -> tuple[list[Planned], bool]:
        """Finish the first cell that nobody else has; what is left, and whether there was one.

        A cell that the budget leaves out when its turn comes is not asked for again.
        """
        with_others = []
        for place, planned in enumerate(todo):
            found = self.store.cell(self.ready.key(planned))
            if found is None and planned.dropped:
                continue
            if found is None and not (self._fits(planned) and self._claims(planned)):
                with_others.append(planned)
                continue
            self._take(planned, found or self._computed(planned))
            return [*with_others, *todo[place + 1 :]], True
        return with_others, False

    def _claims(self, planned: Planned) -> bool:
        return self.store.claim(self.ready.key(planned))

    def _computed(self, planned: Planned) -> Cell:
        self.watch.started(planned)
        found = compute(self.ready, planned, self.watch)
        self.store.add(self.ready.key(planned), found)
        self.computed += 1
        return found

    def _fits(self, planned: Planned) -> bool:
        """Whether a cell has the memory that others of its entry took; alone, it is tried."""
        needs = self._peaks.get(planned.entry.name, 0)
        return not needs or self._room(needs) or not self.store.workers.here()

    def _take(self, planned: Planned, found: Cell) -> None:
        ready = self.ready
        found = replace(found, entry=planned.entry.name)
        self.cells.append(found)
        peak = self._peaks.get(found.entry, 0)
        self._peaks[found.entry] = max(peak, found.peak_bytes)
        ready.timings[found.entry].add_cell(found, planned.new)
        done = {(cell.entry, cell.size, cell.draw) for cell in self.cells}
        left = sum(
            ready.timings[cell.entry.name].of(cell)
            for cell in ready.plan.cells
            if not cell.dropped and (cell.entry.name, cell.size, cell.draw) not in done
        )
        lines = rough_lines(ready.plan, self.cells, ready.rows.golds(), ready.draws)
        self.watch.finished(found, lines, left)


def timed(
    cells: Sequence[Planned],
    timings: Mapping[str, Timing],
    key_of: Callable[[Planned], str],
    store: CellStore,
) -> list[Planned]:
    """The cells with what is known by now about the time that they take; stored ones take none."""
    return [
        replace(
            cell,
            seconds=0.0 if store.cell(key_of(cell)) else timings[cell.entry.name].of(cell),
            dropped=False,
        )
        for cell in cells
    ]


def compute(ready: Ready, planned: Planned, watch: Watch) -> Cell:
    """Fit and predict."""
    if planned.draw == EVERY_ROW:
        train: tuple[int, ...] = ()
        held = tuple(sorted({place for draw in ready.draws for place in draw.held}))
    else:
        draw = ready.draws[planned.draw]
        train, held = draw.train[: planned.n_train], draw.held
    return ready.bench.cell(
        planned.entry, planned.size, planned.draw, train, held, watch.step,
        fresh=planned.is_fresh,
    )  # fmt: skip
