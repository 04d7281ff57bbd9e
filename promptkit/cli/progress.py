"""Progress on standard error: a bar where someone looks, a line a minute in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from promptkit.protocols import Step


#: Seconds between two lines where standard error is a file.
LINE_S = 60.0


class Lines:
    """Stands where a bar would: a line a minute, and none of what takes less.

    Args:
        clock: Tells seconds.
        write: Takes a line.
    """

    def __init__(self, clock: Callable[[], float], write: Callable[[str], None]) -> None:
        self._clock, self._write = clock, write
        self._last = clock()

    def add_task(self, description: str, total: int | None, unit: str) -> int:
        """Nothing is written yet."""
        return 0

    def update(
        self, task: int, description: str, completed: int, total: int | None, unit: str
    ) -> None:
        """Write where it has come to, if the last line is a minute old."""
        if self._clock() - self._last < LINE_S:
            return
        self._last = self._clock()
        of = "" if total is None else f" of {total:,}"
        self._write(f"{description}: {completed:,}{of} {unit}")


class Watch:
    """What a run may tell.

    Args:
        name: What is done.
        bar: A rich progress bar, or what stands for it.
    """

    def __init__(self, name: str, bar: Any = None) -> None:
        self.name, self._bar = name, bar
        self._task = bar.add_task(f"{name}: loading", total=None, unit="") if bar else None

    def on_progress(self, done: int, total: int | None) -> None:
        """So many rows are answered; None where nobody knows how many there are."""
        self._show(self.name, done, total, "rows")

    def on_step(self, step: Step) -> None:
        """So many steps of a fit are done."""
        self._show(f"{self.name}: {fit_words(step)}", step.done, step.total, "steps")

    def on_run(self, done: int, total: int, what: str) -> None:
        """So many runs of several are done, and what the next one does."""
        self._show(f"{self.name}: {what}", done, total, "runs")

    def on_part(self, what: str, done: int, total: int | None) -> None:
        """So many rows are done of one of several things that are done with them."""
        self._show(f"{self.name}: {what}", done, total, "rows")

    def on_tokens(self, done: int, budget: int) -> None:
        """So many prompt tokens of a budget are spent."""
        self._show(self.name, done, budget, "tokens")

    def _show(self, words: str, done: int, total: int | None, unit: str) -> None:
        if self._bar:
            self._bar.update(self._task, description=words, completed=done, total=total, unit=unit)


def fit_words(step: Step) -> str:
    """Such as ``learning, loss 0.412, held-out accuracy 0.83``."""
    words = "learning"
    if step.loss is not None:
        words += f", loss {step.loss:.3f}"
    if step.score is not None:
        words += f", held-out accuracy {step.score:.2f}"
    return words


@contextmanager
def watched(name: str) -> Iterator[Watch]:
    """A bar while something runs, gone when it ends; a line a minute where no terminal is."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        yield Watch(name, Lines(monotonic, partial(typer.echo, err=True)))
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield Watch(name, bar)
