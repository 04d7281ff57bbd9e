"""Two runs beside each other, and the rows on which they part."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from promptkit.report.facts import SHOWN_DIGITS, facts_of
from promptkit.report.figures import decimal, p_text, rows, signed
from promptkit.report.layout import FAINT, MIND, bullets, heading, pairs, table
from promptkit.report.plain import cell, naming, plain, shorten
from promptkit.runs.diff import Diff
from promptkit.types import RunRecord, label_key

#: Rows that are shown unless all are asked for.
SHOWN = 10


def diff_table(found: Diff, *, every: bool = False) -> Group:
    """How much two runs differ, whether that may be chance, and on which rows.

    Args:
        found: The two runs.
        every: Show all rows that only one gets right, not the first ten.
    """
    parts: list[RenderableType] = [
        pairs([("first", _told(found.first)), ("second", _told(found.second))]),
        Text(),
        _counts(found),
        Text(),
        pairs(_difference(found)),
    ]
    if found.rows:
        listed = found.rows if every else found.rows[:SHOWN]
        more = (
            "" if len(listed) == len(found.rows) else f" ({len(listed)} of them; --all shows all)"
        )
        parts += [heading(f"{rows(len(found.rows))} that only one gets right{more}")]
        parts += [DiffRows(found, len(listed))]
    if found.notes:
        parts += [heading("notes"), bullets([cell(note) for note in found.notes])]
    return Group(*parts)


def diff_json(found: Diff) -> str:
    """All of it as one JSON object; every row that only one gets right is in it."""
    paired = found.paired
    content: dict[str, Any] = {
        "first": _named(found.first, found.accuracies[0]),
        "second": _named(found.second, found.accuracies[1]),
        "n": paired.n,
        "n_left_out": paired.n_left_out,
        "difference": asdict(paired.difference),
        "mcnemar_p": paired.p_value,
        "only_first": paired.only_first,
        "only_second": paired.only_second,
        "both_right": found.both_right,
        "both_wrong": found.both_wrong,
        "same_mistake": found.same_mistake,
        "rows": [asdict(row) for row in found.rows],
        "notes": found.notes,
    }
    text = json.dumps(content, indent=2, ensure_ascii=False)
    return text.encode(errors="backslashreplace").decode() + "\n"


def _named(record: RunRecord, accuracy: float) -> dict[str, Any]:
    facts = facts_of(record)
    return {
        "fingerprint": facts.fingerprint,
        "template": facts.template,
        "model": facts.model,
        "strategy": facts.prompting,
        "data": facts.data,
        "split": facts.split,
        "accuracy": accuracy,
    }


def _told(record: RunRecord) -> Text:
    facts = facts_of(record)
    said = [facts.fingerprint[:SHOWN_DIGITS], facts.data_and_split]
    said += [facts.template] if facts.is_prompted else []
    said += [facts.served] if facts.served != "none" else []
    return cell(" · ".join([*said, facts.prompting, *([facts.evidence] if facts.evidence else [])]))


def _counts(found: Diff) -> Table:
    paired = found.paired
    made = table("", "first", "second")
    one, two = found.accuracies
    made.add_row(Text("accuracy", "bold"), Text(decimal(one), "bold"), Text(decimal(two), "bold"))
    made.add_row("right", *(f"{round(a * paired.n):,}" for a in found.accuracies))
    made.add_row(
        "right where the other is not", f"{paired.only_first:,}", f"{paired.only_second:,}"
    )
    return made


def _difference(found: Diff) -> list[tuple[str, RenderableType]]:
    paired, score = found.paired, found.paired.difference
    ends = ""
    if score.low is not None and score.high is not None:
        ends = f", 95% interval {signed(score.low)} to {signed(score.high)}"
    same = f" ({found.same_mistake:,} with the same label)" if found.both_wrong else ""
    told: list[tuple[str, RenderableType]] = [
        ("rows compared", Text(f"{paired.n:,}")),
        ("both right", Text(f"{found.both_right:,}")),
        ("both wrong", Text(f"{found.both_wrong:,}{same}")),
        ("first − second", Text(f"{signed(score.value)}{ends}")),
        ("McNemar, exact", Text(f"p = {p_text(paired.p_value)}".replace("= <", "< "))),
    ]
    if paired.p_value >= 0.05:
        told.append(("", Text("a difference like this one may well be chance", MIND)))
    return told


class DiffRows:
    """Rows that only one run gets right, each on one line as wide as there is space.

    Args:
        found: The two runs.
        n: How many rows.
    """

    def __init__(self, found: Diff, n: int) -> None:
        labels = {label_key(label): label for run in (found.first, found.second)
                  for label in run.labels}  # fmt: skip
        name = naming(list(labels.values()))
        self.lines = [
            (plain(row.example_id), name(row.gold), name(row.first), name(row.second), row.only,
             plain(row.text))
            for row in found.rows[:n]
        ]  # fmt: skip

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        heads = ("row", "gold", "first", "second")
        limits = (width // 5, width // 7, width // 7, width // 7)
        short = [
            [shorten(text, n) for text, n in zip(line[:4], limits, strict=True)]
            for line in self.lines
        ]
        taken = sum(max(map(cell_len, column)) + 2 for column in zip(heads, *short, strict=True))
        made = table(*heads, "text", words=5)
        for (*_, only, text), cells in zip(self.lines, short, strict=True):
            right, wrong = "bold green", FAINT
            styles = ("", "", *((right, wrong) if only == 1 else (wrong, right)))
            shown = [Text(one, s, no_wrap=True) for one, s in zip(cells, styles, strict=True)]
            made.add_row(*shown, Text(shorten(text, max(width - taken, 4)), no_wrap=True))
        yield made
