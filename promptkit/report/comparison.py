"""A comparison as a reader sees it: who is how good, at what price, and which one to take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import compress

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from promptkit.report.curve import curve_table
from promptkit.report.design import plan_facts
from promptkit.report.explained import explained_parts
from promptkit.report.facts import SHOWN_DIGITS
from promptkit.report.figures import (
    MISSING,
    decimal,
    duration,
    p_text,
    rows,
    short_count,
    short_time,
    signed,
    size,
    span,
)
from promptkit.report.gaps import gaps_of
from promptkit.report.growth import Growths
from promptkit.report.layout import FAINT, MIND, Flow, bullets, fits, heading, pairs, table
from promptkit.report.ledger import Ledger
from promptkit.report.plain import cell
from promptkit.report.standing import ALPHA, Standing, entry_names, final_size, standings
from promptkit.report.verdict import verdict_parts
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.nouns import Line
from promptkit.types import Score

Columns = Mapping[str, Callable[[Standing], str]]

#: What stands before a name, and what it means.
MARKS = {
    "→": "recommended",
    "*": "highest accuracy",
    "≈": f"cannot be told apart from it (Holm-adjusted p from {ALPHA} on)",
    "†": "fewer cells than planned",
}


def comparison_table(comparison: Comparison, *, explain: bool = False) -> RenderableType:
    """All there is to say about a comparison; it takes the width that there is.

    Args:
        comparison: What was compared.
        explain: Whether each sentence of the verdict is followed by where it comes from.
    """
    name = entry_names(comparison.plan.entries)
    parts: list[RenderableType] = [
        pairs((key, Text(value)) for key, value in comparison_facts(comparison)),
        heading(title(comparison)),
        Standings(comparison),
        heading("accuracy by number of labelled rows"),
        curve_table(comparison),
        Text("* highest accuracy at its size", FAINT),
    ]
    if comparison.growths:
        parts += [heading("what more labelled rows would bring, in points"), Growths(comparison)]
    if any(one.fit_work is not None for one in comparison.accounts.values()):
        parts += [heading("what it costs"), Ledger(comparison)]
    gaps = gaps_of(comparison)
    if gaps:
        told = [Text(gap.sentence(name), MIND) for gap in gaps]
        parts += [heading("not computed"), bullets(told)]
    notes = dict.fromkeys((*comparison.plan.notes, *comparison.notes))
    if notes:
        parts += [heading("notes"), bullets([cell(note) for note in notes])]
    if explain:
        return Group(*parts, *explained_parts(comparison))
    return Group(*parts, *verdict_parts(comparison.recommendation))


def comparison_facts(comparison: Comparison) -> list[tuple[str, str]]:
    """Names and values for the head, what was run included."""
    computed = len(comparison.cells) - comparison.from_store
    took = f"{computed:,} cells computed in {duration(comparison.seconds)}" if computed else ""
    stored = f"{comparison.from_store:,} from the store" if comparison.from_store else ""
    run = [comparison.fingerprint[:SHOWN_DIGITS], took, stored]
    return [*plan_facts(comparison.plan), ("run", " · ".join(filter(None, run)))]


def title(comparison: Comparison) -> str:
    """What the main table is about, such as ``with all labelled rows``."""
    plan, largest = comparison.plan, final_size(comparison.plan)
    if largest is not None:
        return f"with {rows(largest).replace(' row', ' labelled row')}"
    if plan.design == "test":
        return f"with all {plan.n_rows:,} labelled rows"
    return f"with all labelled rows: learned from {plan.folds - 1} folds, measured on the other"


def marks_of(standing: Standing) -> str:
    """Its marks, in the order of `MARKS`."""
    has = (
        standing.is_recommended,
        standing.is_best,
        standing.is_alike,
        standing.is_partial,
    )
    return "".join(compress(MARKS, has))


class Standings:
    """Quality and price of each entry: one table, or two where space is short.

    Args:
        comparison: What was compared.
    """

    #: Columns that are left out, one after another, where even two tables are too wide.
    DISPENSABLE = (
        "rows",
        "macro-F1",
        "95% interval",
        "p (Holm)",
        "peak\nmemory",
        "per 1,000\nrows",
    )

    def __init__(self, comparison: Comparison) -> None:
        self.standings = standings(comparison)
        self.name = entry_names(comparison.plan.entries)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        whole = self._table({**QUALITY, **PRICE})
        if fits(whole, console, options, names=1):
            yield whole
            yield self._legend()
            return
        yield self._fitting(QUALITY, console, options)
        yield self._legend()
        yield heading("what each takes")
        yield self._fitting(PRICE, console, options)

    def _fitting(self, columns: Columns, console: Console, options: ConsoleOptions) -> Table:
        left = dict(columns)
        for head in ("", *self.DISPENSABLE):
            left.pop(head, None)
            made = self._table(left)
            if fits(made, console, options, names=1):
                break
        return made

    def _table(self, columns: Columns) -> Table:
        made = table("", "strategy", *columns, words=2)
        made.columns[0].no_wrap = True
        for one in self.standings:
            shown = Text(self.name(one.line.entry.name), _style(one))
            cells = [Text(text_of(one)) for text_of in columns.values()]
            made.add_row(Text(marks_of(one), no_wrap=True), shown, *cells, style=_faint(one))
        return made

    def _legend(self) -> RenderableType:
        used = {mark for one in self.standings for mark in marks_of(one)}
        return Flow((f"{mark} {said}" for mark, said in MARKS.items() if mark in used), FAINT)


def _value(score: Score | None) -> str:
    return decimal(score.value if score else None)


def _if_known(text_of: Callable[[Line], str]) -> Callable[[Standing], str]:
    """A dash for an entry without numbers, whose zeros are none."""
    return lambda one: MISSING if one.line.accuracy is None else text_of(one.line)


#: By head, what stands in the cells of a column.
QUALITY: Columns = {
    "rows": _if_known(lambda line: f"{line.n_train:,.0f}"),
    "accuracy": lambda one: _value(one.line.accuracy),
    "95% interval": lambda one: span(one.line.accuracy) if one.line.accuracy else MISSING,
    "macro-F1": lambda one: _value(one.line.macro_f1),
    "to best": lambda one: "best" if one.is_best else signed(one.difference),
    "p (Holm)": lambda one: "" if one.is_best else p_text(one.p_value),
}
PRICE: Columns = {
    "time to\nadapt": _if_known(lambda line: short_time(line.fit_seconds)),
    "per 1,000\nrows": _if_known(lambda line: short_time(line.seconds_per_1000)),
    "trained\nparameters": _if_known(lambda line: short_count(line.trained_parameters)),
    "peak\nmemory": _if_known(lambda line: size(line.peak_bytes) if line.peak_bytes else MISSING),
}


def _style(standing: Standing) -> str:
    return "bold" if standing.is_recommended or standing.is_best else ""


def _faint(standing: Standing) -> str:
    return FAINT if standing.line.accuracy is None else ""
