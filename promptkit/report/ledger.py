"""What each way costs beyond time: energy, operations, tokens, storage, money, and when it pays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import floor, isfinite, log10

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from promptkit.report.figures import MISSING, short_count, size
from promptkit.report.layout import FAINT, Flow, fits, table
from promptkit.report.standing import entry_names, standings
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.ledger import PROMPTED, Account
from promptkit.runs.compare.work import Work

Columns = Mapping[str, Callable[[Account], str]]

ADAPT, EACH = "to adapt\n", "1,000 rows\n"


def _of(work: Work | None, count: Callable[[Work], float], times: float = 1.0) -> str:
    """A count with its unit; a dash where nothing was counted."""
    value = count(work) * times if work is not None else 0.0
    return amount(value) if value else MISSING


#: By head, what stands in the cells of a column; those with money only where there are prices.
COUNTS: Columns = {
    f"{ADAPT}energy": lambda one: energy(one.fit_joules, one.joules_measured),
    f"{ADAPT}FLOP": lambda one: _of(one.fit_work, lambda work: work.flops),
    f"{ADAPT}tokens": lambda one: _of(one.fit_work, lambda work: work.computed_tokens),
    f"{EACH}energy": lambda one: energy(1000 * one.row_joules, one.joules_measured),
    f"{EACH}FLOP": lambda one: _of(one.row_work, lambda work: work.flops, 1000),
    f"{EACH}tokens": lambda one: _of(one.row_work, lambda work: work.prompt_tokens, 1000),
    "stored": lambda one: size(one.stored_bytes) if one.stored_bytes else MISSING,
    "pays\nfrom": lambda one: pays_from(one.break_even),
}
MONEY: Columns = {
    f"{ADAPT}price": lambda one: money(one.fit_price),
    f"{EACH}price": lambda one: money(one.price_per_1000),
}


class Ledger:
    """The accounts of a comparison's entries as a table, the most accurate first.

    Args:
        comparison: What was compared.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        names = [one.line.entry.name for one in standings(comparison)]
        self.accounts = [comparison.accounts[name] for name in names if name in comparison.accounts]
        self.name = entry_names(comparison.plan.entries)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = columns_of(self.comparison)
        whole = self._table(columns)
        if fits(whole, console, options):
            yield whole
        else:
            each = {head: text for head, text in columns.items() if head.startswith(EACH)}
            yield self._table({head: text for head, text in columns.items() if head not in each})
            yield Text()
            yield self._table(each)
        yield Flow(legend(self.comparison), FAINT)

    def _table(self, columns: Columns) -> Table:
        made = table("strategy", *columns)
        for account in self.accounts:
            cells = [Text(text_of(account)) for text_of in columns.values()]
            made.add_row(Text(self.name(account.entry.name)), *cells)
        return made


def columns_of(comparison: Comparison) -> dict[str, Callable[[Account], str]]:
    """The columns that a comparison has anything for."""
    return {**COUNTS, **(MONEY if comparison.prices.are_known else {})}


def legend(comparison: Comparison) -> list[str]:
    """What has to be known to read the table."""
    accounts = list(comparison.accounts.values())
    told = []
    if any(not one.joules_measured for one in accounts):
        told.append(f"~ estimated: seconds at {comparison.prices.watts:g} W")
    if any(one.joules_measured for one in accounts):
        told.append("energy: of the whole processor, by its own counters")
    told.append("FLOP: the model's products and attention")
    told.append("tokens to adapt: positions computed, padding and epochs included")
    if any(one.break_even is not None for one in accounts):
        scale = "money" if comparison.prices.are_known else "time"
        prompted = [one for one in accounts if one.entry.strategy in PROMPTED]
        best = max(prompted, key=lambda one: _accuracy(comparison, one.entry.name), default=None)
        against = f" than {best.entry.name}" if best else ""
        told.append(f"pays from: rows from which it costs less {scale}{against}")
    if comparison.prices.are_known and comparison.prices.currency:
        told.append(f"prices in {comparison.prices.currency}, labels included")
    return told


def _accuracy(comparison: Comparison, name: str) -> float:
    known = comparison.recommendation.weighed.get(name)
    return known.accuracy if known and known.accuracy is not None else 0.0


def amount(value: float) -> str:
    """A count with three digits and its unit.

    >>> amount(770), amount(6_800_000_000), amount(1.2e15)
    ('770', '6.80 G', '1.20 P')
    """
    if value < 1000:
        return f"{value:.0f}"
    for unit in ("k", "M", "G", "T"):
        value /= 1000
        if value < 999.5:
            return f"{value:.3g} {unit}" if value >= 100 else f"{value:#.3g} {unit}"
    return f"{value / 1000:#.3g} P"


def energy(joules: float, measured: bool) -> str:
    """Energy in watt hours; an estimate has a tilde.

    >>> energy(3600, True), energy(0.9, False)
    ('1.00 Wh', '~0.25 mWh')
    """
    hours, unit = joules / 3600, "Wh"
    if hours < 1e-5:
        return MISSING
    if hours < 0.0995:
        hours, unit = hours * 1000, "mWh"
    elif hours >= 999.5:
        hours, unit = hours / 1000, "kWh"
    text = f"{hours:.2f}" if hours < 10 else f"{hours:.0f}"
    return f"{'' if measured else '~'}{text} {unit}"


def money(price: float | None) -> str:
    """An amount of money, small ones with two digits that count.

    >>> money(12.0), money(0.00361), money(0.25), money(1e-8)
    ('12.00', '0.0036', '0.25', '0.00')
    """
    if price is None or not isfinite(price):
        return MISSING
    if price >= 1 or price < 1e-6:
        return f"{price:,.2f}"
    return f"{price:.8f}"[: 4 + max(0, -floor(log10(price)) - 1)]


def pays_from(rows: float | None) -> str:
    """A number of rows; ``never`` where it never pays."""
    if rows is None:
        return MISSING
    if not isfinite(rows):
        return "never"
    return short_count(max(1, round(rows)))
