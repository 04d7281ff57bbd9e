"""Learning curves as a table: entries down, numbers of labelled rows across."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from promptkit.report.figures import MISSING, decimal
from promptkit.report.layout import table
from promptkit.report.standing import curves, entry_names, size_head, standings
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.nouns import Line, Size


def curve_table(comparison: Comparison) -> Table:
    """Accuracy of each entry at each size; the best of a size has a star."""
    sizes, best = shown_sizes(comparison), best_of_sizes(comparison)
    made = table("strategy", *(size_head(comparison, size) for size in sizes))
    name, lines = entry_names(comparison.plan.entries), curves(comparison)
    for entry in shown_order(comparison):
        cells = [_cell(lines[entry].get(size), best.get(size)) for size in sizes]
        made.add_row(Text(name(entry)), *cells)
    return made


def shown_sizes(comparison: Comparison) -> list[Size]:
    """The sizes at which any entry has numbers."""
    has = {line.size for line in comparison.lines if line.accuracy is not None}
    return [size for size in comparison.plan.sizes if size in has]


def best_of_sizes(comparison: Comparison) -> dict[Size, Line]:
    """By size, the line with the highest accuracy."""
    best: dict[Size, Line] = {}
    for line in comparison.lines:
        if line.accuracy is None:
            continue
        held = best.get(line.size)
        if held is None or held.accuracy is None or line.accuracy.value > held.accuracy.value:
            best[line.size] = line
    return best


def shown_order(comparison: Comparison) -> list[str]:
    """As in the main table, then what has a line at other sizes only."""
    first = [one.line.entry.name for one in standings(comparison)]
    return list(dict.fromkeys([*first, *curves(comparison)]))


def _cell(line: Line | None, best: Line | None) -> Text:
    """The blank after a number without a star keeps the digits below each other."""
    if line is None or line.accuracy is None:
        return Text(f"{MISSING} ")
    text = decimal(line.accuracy.value)
    return Text(f"{text}*", "bold") if line is best else Text(f"{text} ")
