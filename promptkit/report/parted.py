"""A split of rows as a reader sees it: sizes, balance of labels, borders, and what leaks."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from promptkit.data.parting import Parted
from promptkit.report.check_view import label_table
from promptkit.report.layout import GOOD, MIND, bullets, heading, table
from promptkit.report.plain import cell, plain

#: Share by which a part may miss its size before that is told.
AMISS = 0.05


def parted_view(parted: Parted) -> Group:
    """Parts with their rows, labels by part, and what to mind."""
    counts = parted.counts()
    total = sum(sum(own.values()) for own in counts.values())
    heads = ["part", "rows", "share", *(["from", "to"] if parted.spans else [])]
    made = table(*heads)
    for part, own in counts.items():
        n = sum(own.values())
        span = [plain(time) for time in parted.spans[part]] if parted.spans else []
        made.add_row(Text(part), f"{n:,}", f"{n / total:.1%}", *span)
    parts: list[RenderableType] = [made]
    balance = label_table(counts)
    if balance is not None:
        parts += [heading("labels"), balance]
    if parted.notes:
        parts += [heading("notes"), bullets([cell(note) for note in parted.notes])]
    told = warnings(parted)
    if told:
        parts += [heading("to mind"), bullets([cell(line, MIND) for line in told])]
    elif parted.rows and parted.rows[0].texts:
        parts += [Text(), Text("no text stands in two parts", GOOD)]
    return Group(*parts)


def warnings(parted: Parted) -> list[str]:
    """What somebody should know before the parts are used, a sentence each."""
    told = []
    left = sum(part == "" for part in parted.parts)
    if left:
        told.append(f"{left:,} rows are in no part, as the sizes leave them out")
    counts = parted.counts()
    for part, wanted in parted.wanted.items():
        n = sum(counts.get(part, {}).values()) if part else left
        if part and abs(n - wanted) > max(1, AMISS * wanted):
            why = "rows of one time" if parted.spans else "groups"
            told.append(f"{part} has {n:,} rows where {wanted:,} were asked for: {why} stay whole")
    for finding in parted.leaks:
        advice = "a copy of a row that was learned makes a score too good"
        if not parted.spans:
            advice += "; --keep-duplicates-together puts them into one part"
        told.append(f"{finding.n:,} × {finding.title} ({finding.note}): {advice}")
    return told
