"""What more labelled rows would bring, by each way's learning curve."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from promptkit.metrics.power_law import Forecast
from promptkit.report.figures import MISSING, decimal
from promptkit.report.layout import FAINT, Flow, fits, table
from promptkit.report.standing import entry_names, standings
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.growth import Growth, Held

HEADS = (
    "twice the\nrows bring",
    "90% band",
    "+1 point\nneeds",
    "ceiling",
    "last size\nforetold",
    "came",
)
#: Heads that are left out where space is short.
DISPENSABLE = ("ceiling", "+1 point\nneeds")
#: A gain that rows are named for.
_POINT = 0.01


class Growths:
    """A line for each way that has a curve, the most accurate first.

    Args:
        comparison: What was compared.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.n = comparison.plan.n_rows
        names = [one.line.entry.name for one in standings(comparison)]
        self.growths = [comparison.growths[name] for name in names if name in comparison.growths]
        self.name = entry_names(comparison.plan.entries)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        left = shown_heads(self.growths)
        for head in ("", *DISPENSABLE):
            left = [one for one in left if one != head]
            made = self._table(left)
            if fits(made, console, options):
                break
        yield made
        yield Flow(legend(self.growths), FAINT)

    def _table(self, heads: list[str]) -> Table:
        made = table("strategy", *heads)
        for growth in self.growths:
            cells = dict(zip(HEADS, growth_cells(growth, self.n), strict=True))
            made.add_row(Text(self.name(growth.entry.name)), *(Text(cells[x]) for x in heads))
        return made


def legend(growths: Sequence[Growth]) -> list[str]:
    """What has to be known to read the table."""
    told = ["inverse power law, weighed over all that the sizes allow"]
    if any(one.held for one in growths):
        told.append("last size foretold: by the sizes below it, with its band")
    return told


def shown_heads(growths: Sequence[Growth]) -> list[str]:
    """The heads that there is anything for: the law is not tested with three sizes."""
    return list(HEADS if any(one.held for one in growths) else HEADS[:4])


def growth_cells(growth: Growth, n: int) -> list[str]:
    """What stands below `HEADS`.

    Args:
        growth: A curve.
        n: Labelled rows that there are.
    """
    gain = growth.curve.gain(n, 2 * n)
    needed = growth.curve.rows_for(n, _POINT)
    return [
        points(gain.mean),
        f"{points(gain.low)} to {points(gain.high)}",
        MISSING if needed is None else f"{needed - n:,.0f} more",
        decimal(growth.curve.ceiling().mean),
        _foretold(growth.held),
        MISSING if growth.held is None else decimal(growth.held.came),
    ]


def points(value: float) -> str:
    """A difference of accuracy in points."""
    return f"{100 * value:+.1f}"


def _foretold(held: Held | None) -> str:
    if held is None:
        return MISSING
    band: Forecast = held.foretold
    return f"{decimal(band.low)} to {decimal(band.high)}"
