"""A heat map: names to the left, numbers on colours, in the terminal, in HTML and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from promptkit.report.layout import HEAD
from promptkit.report.picture import save_picture
from promptkit.report.plain import cell, plain, shorten_middle

#: The ends of the scale and what lies between (viridis): dark is little, light is much.
SCALE = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")
#: Cells of a number's column, and of a name at most.
CELL, NAME = 5, 24


@dataclass(frozen=True)
class Heat:
    """A heat map.

    Args:
        corner: What the names are.
        columns: Heads of the columns.
        names: Of the lines.
        values: A line of numbers each, None where there is none.
        digits: Decimals that are shown.
        marked: Places (line, column) that stand out.
        own: Whether each line has a scale of its own, where they are not to be compared.
    """

    corner: str
    columns: tuple[str, ...]
    names: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    digits: int = 1
    marked: frozenset[tuple[int, int]] = frozenset()
    own: bool = True

    def share(self, line: int, value: float) -> float:
        """Where a value stands on its scale, from 0 to 1."""
        lines = [self.values[line]] if self.own else list(self.values)
        there = [one for own in lines for one in own if one is not None]
        low, high = min(there), max(there)
        return (value - low) / (high - low) if high > low else 1.0

    def colour(self, line: int, value: float) -> tuple[str, str]:
        """Background and text of a value."""
        place = self.share(line, value) * (len(SCALE) - 1)
        first = min(int(place), len(SCALE) - 2)
        low, high = (_rgb(SCALE[at]) for at in (first, first + 1))
        mixed = [round(a + (b - a) * (place - first)) for a, b in zip(low, high, strict=True)]
        light = 0.299 * mixed[0] + 0.587 * mixed[1] + 0.114 * mixed[2] > 140
        return "#" + "".join(f"{one:02x}" for one in mixed), "#000000" if light else "#ffffff"

    def said(self, value: float | None) -> str:
        """A number as the map shows it."""
        return "–" if value is None else f"{value:.{self.digits}f}"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        name = min(max(map(len, (*self.names, self.corner)), default=1), NAME)
        fit = max((options.max_width - name - 2) // (CELL + 1), 1)
        for start in range(0, len(self.columns), fit):
            places = range(start, min(start + fit, len(self.columns)))
            grid = Table.grid(padding=(0, 1, 0, 0))
            grid.add_column(no_wrap=True, width=name)
            for _ in places:
                grid.add_column(no_wrap=True, width=CELL, justify="right")
            heads = [Text(shorten_middle(self.columns[at], CELL), HEAD) for at in places]
            grid.add_row(Text(self.corner, HEAD), *heads)
            for line, told in enumerate(self.names):
                cells = [self._cell(line, at) for at in places]
                grid.add_row(cell(shorten_middle(told, name)), *cells)
            yield grid
            if places.stop < len(self.columns):
                yield Text("")

    def _cell(self, line: int, at: int) -> Text:
        value = self.values[line][at]
        text = self.said(value).rjust(CELL)
        if value is None:
            return Text(text, "dim")
        back, front = self.colour(line, value)
        strong = " bold underline" if (line, at) in self.marked else ""
        return Text(text, f"{front} on {back}{strong}")

    def html(self) -> str:
        """A table in HTML, its numbers readable without its colours."""
        heads = "".join(f"<th scope=col>{escape(plain(one))}</th>" for one in self.columns)
        lines = []
        for line, name in enumerate(self.names):
            cells = "".join(self._html_cell(line, at) for at in range(len(self.columns)))
            lines.append(f"<tr><th scope=row>{escape(plain(name))}</th>{cells}</tr>")
        head = f"<tr><th scope=col>{escape(self.corner)}</th>{heads}</tr>"
        return f"<table class=heat><thead>{head}</thead><tbody>{''.join(lines)}</tbody></table>"

    def _html_cell(self, line: int, at: int) -> str:
        value = self.values[line][at]
        if value is None:
            return "<td>–</td>"
        back, front = self.colour(line, value)
        mark = " class=marked" if (line, at) in self.marked else ""
        return f'<td{mark} style="background:{back};color:{front}">{self.said(value)}</td>'

    def draw(self, path: str | Path, title: str) -> None:
        """Write a picture.

        Args:
            path: Ends in .png, .svg or .pdf; see `promptkit.report.picture.check_plot`.
            title: Above it.

        Raises:
            StoreError: The file cannot be written.
        """
        from matplotlib.figure import Figure

        wide, high = len(self.columns), len(self.names)
        figure = Figure(figsize=(max(4.0, 2.2 + 0.55 * wide), 1.2 + 0.42 * high))
        axes = figure.add_subplot()
        for line in range(high):
            for at, value in enumerate(self.values[line]):
                if value is None:
                    continue
                back, front = self.colour(line, value)
                axes.add_patch(_square(at, line, back))
                weight = "bold" if (line, at) in self.marked else "normal"
                axes.text(at + 0.5, line + 0.5, self.said(value), color=front, fontsize=8,
                          ha="center", va="center", fontweight=weight)  # fmt: skip
        axes.set(xlim=(0, wide), ylim=(high, 0), title=title, xlabel="layer")
        axes.set_xticks([at + 0.5 for at in range(wide)], list(map(plain, self.columns)))
        axes.set_yticks([at + 0.5 for at in range(high)], list(map(plain, self.names)))
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)
        save_picture(figure, path)


def _square(at: int, line: int, colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((at, line), 1, 1, facecolor=colour, edgecolor="white")


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
