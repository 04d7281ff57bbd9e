"""How all tables look: no frames, a line below the head, numbers to the right and never broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

HEAD = "bold"
FAINT = "dim"
GOOD = "bold green"
MIND = "yellow"


def table(*columns: str, words: int = 1, gap: int = 2) -> Table:
    """An empty table.

    Args:
        columns: The heads.
        words: How many columns from the left hold words; they fold where space is short. The
            others hold numbers.
        gap: Cells between two columns.
    """
    made = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, gap - 1, 0, 0),
        header_style=HEAD,
    )
    for place, name in enumerate(columns):
        if place < words:
            made.add_column(Text(name), overflow="fold")
        else:
            made.add_column(Text(name), justify="right", no_wrap=True)
    return made


def pairs(lines: Iterable[tuple[str, object]]) -> Table:
    """Names to the left, what they stand for to the right."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=HEAD, no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in lines:
        grid.add_row(Text(name), value)  # type: ignore[arg-type]
    return grid


def bullets(lines: Sequence[Text]) -> Table:
    """A list whose long lines are indented."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for line in lines:
        grid.add_row(Text("•"), line)
    return grid


def heading(text: str) -> Text:
    """A blank line and a title."""
    return Text(f"\n{text}\n", style=HEAD, end="")


def fits(made: Table, console: Console, options: ConsoleOptions, names: int = 0) -> bool:
    """Whether no number of a table is cut: names may fold, down to 16 cells.

    Args:
        made: The table.
        console: Where it will stand.
        options: The width that there is.
        names: The column of names.
    """
    longest = max((cell_len(str(text)) for text in made.columns[names].cells), default=0)
    whole = Measurement.get(console, options.update(max_width=10_000), made).maximum
    return whole - max(longest - 16, 0) <= options.max_width


class Flow:
    """Items on one line, or on several, broken between items only: never "3 / GiB".

    Args:
        items: The items; empty ones are left out.
        style: Style of all.
    """

    def __init__(self, items: Iterable[str], style: str = "") -> None:
        self.items = [item for item in items if item]
        self.style = style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line = ""
        for item in self.items:
            longer = f"{line} · {item}" if line else item
            if line and cell_len(longer) > options.max_width:
                yield Text(line, self.style)
                longer = item
            line = longer
        yield Text(line, self.style)
