"""A comparison while it runs: a table that fills on a terminal, a sober log elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from promptkit.protocols import Step
from promptkit.report.figures import MISSING, decimal, duration
from promptkit.report.layout import FAINT, pairs, table
from promptkit.report.plain import plain
from promptkit.report.plans import plan_line
from promptkit.report.standing import entry_names
from promptkit.runs.compare.nouns import Cell, Entry, Line, Plan, Planned, Size, size_name
from promptkit.runs.compare.working import Watch

Key = tuple[str, Size]


class LiveComparison(Watch):
    """Looks on while a comparison runs, and tells a terminal, or a log, how far it has come.

    On a terminal a table shows mean accuracies as cells end, and is gone when the comparison ends.
    Elsewhere a line is printed for each entry and size whose last cell ends.

    Args:
        console: Where to; standard error by default.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._plan: Plan | None = None
        self._lines: tuple[Line, ...] = ()
        self._done: Counter[Key] = Counter()
        self._computed: set[Key] = set()
        self._now = "reading rows"
        self._step = ""
        self._left: tuple[float, float] | None = None  # seconds, and when that was said
        self._live: Live | None = None
        self._piloted = False

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(
                get_renderable=self.view,
                console=self.console,
                transient=True,
                refresh_per_second=4,
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()
            self._live = None

    def piloting(self, entry: Entry) -> None:
        """A pilot of this entry begins."""
        self._now = f"trying {plain(entry.name)} on a few rows, to know what it takes"
        if not self._piloted and not self.console.is_terminal:
            self._say("trying each way on a few rows, to know what it takes")
        self._piloted = True

    def planned(self, plan: Plan) -> None:
        """The plan stands: it is told on one line that stays."""
        self._plan = plan
        self._left = (plan.seconds, time.monotonic())
        self._say(plan_line(plan))

    def started(self, cell: Planned) -> None:
        """A cell begins."""
        self._computed.add((cell.entry.name, cell.size))
        self._now, self._step = self._words(cell), ""

    def step(self, step: Step) -> None:
        """A fit within the cell has come so far."""
        self._step = step_words(step)

    def finished(self, cell: Cell, lines: Sequence[Line], seconds_left: float) -> None:
        """A cell ended, or was found in the store."""
        self._lines = tuple(lines)
        self._left = (seconds_left, time.monotonic())
        self._step = ""
        key = cell.entry, cell.size
        self._done[key] += 1
        whole = self._done[key] == self._planned()[key]
        if whole and key in self._computed and not self.console.is_terminal:
            self._say(self._log_line(key, seconds_left))

    def waiting(self, cells: int) -> None:
        """So many cells are with other workers, and nothing else is left to do."""
        self._now, self._step = f"waiting for {cells:,} cells of other workers", ""

    def view(self) -> RenderableType:
        """What a terminal shows now."""
        now = f"{self._now} · {self._step}" if self._step else self._now
        lines = [("now", Text(now))]
        if self._plan is None:
            return pairs(lines)
        kept = sum(self._planned().values())
        done = f"{sum(self._done.values()):,} of {kept:,} cells"
        lines.append(("done", Text(f"{done}, {self._time_left()}")))
        return Group(pairs(lines), Text(), self._table(self._plan))

    def _table(self, plan: Plan) -> RenderableType:
        name, planned = entry_names(plan.entries), self._planned()
        found = {(line.entry.name, line.size): line for line in self._lines}
        made = table("strategy", *(size_name(size) for size in plan.sizes))
        for entry in plan.entries:
            keys = [(entry.name, size) for size in plan.sizes]
            cells = [self._cell(planned[key], self._done[key], found.get(key)) for key in keys]
            made.add_row(Text(name(entry.name)), *cells)
        return made

    def _cell(self, planned: int, done: int, line: Line | None) -> Text:
        if not planned:
            return Text(MISSING, FAINT)
        if not done or line is None:
            return Text(f"0/{planned}", FAINT)
        if line.accuracy is None:
            return Text("failed" if done == planned else f"failed {done}/{planned}")
        mean = decimal(line.accuracy.value)
        return Text(mean, "bold") if done == planned else Text(f"{mean} {done}/{planned}")

    def _planned(self) -> Counter[Key]:
        """How many cells each entry and size is to have."""
        cells = self._plan.cells if self._plan else ()
        return Counter((cell.entry.name, cell.size) for cell in cells if not cell.dropped)

    def _words(self, cell: Planned) -> str:
        draws = self._planned()[cell.entry.name, cell.size]
        name = entry_names(self._plan.entries if self._plan else ())
        size = "all labelled rows" if cell.size is None else f"{cell.size} labelled rows"
        draw = f", draw {cell.draw + 1} of {draws}" if cell.draw >= 0 and draws > 1 else ""
        return f"{name(cell.entry.name)}, {size}{draw}"

    def _log_line(self, key: Key, seconds_left: float) -> str:
        line = next((one for one in self._lines if (one.entry.name, one.size) == key), None)
        size = "all labelled rows" if key[1] is None else f"{key[1]} labelled rows"
        if line is None or line.accuracy is None:
            said = f"failed: {line.problem}" if line else "failed"
        else:
            said = f"accuracy {decimal(line.accuracy.value)}"
        return plain(f"{key[0]}, {size}: {said}; {left_words(seconds_left)}")

    def _time_left(self) -> str:
        if self._left is None:
            return left_words(0)
        seconds, then = self._left
        return left_words(seconds - (time.monotonic() - then))

    def _say(self, line: str) -> None:
        """A line that stays: above the table on a terminal, never wrapped elsewhere."""
        text = Text(f"promptkit: {line}")
        self.console.print(text, soft_wrap=not self.console.is_terminal, highlight=False)


def step_words(step: Step) -> str:
    """Such as ``step 12 of 40, loss 0.412, held-out accuracy 0.83``."""
    words = f"step {step.done:,} of {step.total:,}"
    if step.loss is not None:
        words += f", loss {step.loss:.3f}"
    if step.score is not None:
        words += f", held-out accuracy {step.score:.2f}"
    return words


def left_words(seconds: float) -> str:
    """The time that remains, without digits that nobody can know."""
    if seconds < 1:
        return "almost done"
    if seconds < 100:
        return f"about {seconds:.0f} s left"
    return f"about {duration(round(seconds / 60) * 60).replace(' 0 s', '')} left"
