"""Whether backends say the same, pair by pair, and where they are apart."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from promptkit.report.figures import rows
from promptkit.report.layout import FAINT, GOOD, MIND, heading, pairs, table
from promptkit.report.plain import cell, naming
from promptkit.runs.agreement import Agreement

#: Ids that are told of rows that are decided differently.
CHANGED_SHOWN = 8


def agreement_table(found: Sequence[Agreement], asked: str, tolerance: float) -> Group:
    """All pairs, then for each that does not hold the rows that differ most.

    Args:
        found: The pairs.
        asked: What they were asked, in words.
        tolerance: Nats.
    """
    made = table(
        "backends", "rows", "compared", "largest difference", "decided otherwise", "ties", "agree"
    )
    for column in made.columns[1:]:
        column.no_wrap = False
    for one in found:
        holds = one.holds(tolerance)
        made.add_row(
            Text("\n").join(map(cell, one.names)),
            f"{one.n:,}",
            f"{one.n_compared:,}",
            nats(one.largest),
            f"{len(one.changed):,}",
            f"{one.n_ties:,}",
            Text("yes", GOOD) if holds else Text("no", MIND),
        )
    told = (
        f"Agreement is no difference of a log_p above {tolerance:g} nats, and the same decision on "
        f"every row. A tie is a row whose two best labels are within {tolerance:g} nats."
    )
    parts: list[RenderableType] = [
        pairs([("asked", cell(asked))]), Text(), made, Text(), Text(told, FAINT),
    ]  # fmt: skip
    for one in found:
        parts += _remarks(one)
        if not one.holds(tolerance) and one.worst:
            parts += _worst(one)
    return Group(*parts)


def nats(value: float) -> str:
    """Such as ``1.9e-06``."""
    return f"{value:.1e}"


def _remarks(one: Agreement) -> list[RenderableType]:
    who = " and ".join(one.names)
    lines = []
    if one.changed:
        shown = ", ".join(one.changed[:CHANGED_SHOWN])
        more = len(one.changed) - CHANGED_SHOWN
        shown += f" and {more:,} more" if more > 0 else ""
        lines.append(
            f"{who} decide {rows(len(one.changed))} otherwise ({one.n_changed_ties:,} of them "
            f"ties): {shown}"
        )
    if one.problem:
        lines.append(f"{who}: rows that only one scored: {one.problem}")
    if one.n_other_tokens:
        lines.append(
            f"{who} split the words of {rows(one.n_other_tokens)} into different numbers of tokens"
        )
    return [Text(), *(cell(line, MIND) for line in lines)] if lines else []


def _worst(one: Agreement) -> list[RenderableType]:
    made = table("row", "word", "difference", *one.names, "decided", words=2)
    for column in made.columns[3:5]:
        column.no_wrap, column.overflow = False, "fold"
    for row in one.worst:
        labels = list(dict.fromkeys(map(naming(()), row.labels)))
        made.add_row(
            cell(row.example_id),
            cell(row.word.strip()),
            nats(row.gap),
            *(f"{value:.4f}" for value in row.log_p),
            cell(" / ".join(labels)),
        )
    return [heading(f"where {' and '.join(one.names)} differ most"), made]
