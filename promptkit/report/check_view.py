"""What was found in a data set, as a reader sees it: the worst first, with rows and next step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from promptkit.data.inspection import SEVERITIES, Finding, Inspection
from promptkit.report import figures
from promptkit.report.check_export import examples_of
from promptkit.report.layout import FAINT, GOOD, HEAD, MIND, bullets, heading, pairs, table
from promptkit.report.plain import LABEL_WIDTH, cell, naming, plain, shorten
from promptkit.types import Value

#: Labels that are listed; the rest is counted.
LABELS_SHOWN = 15
#: Examples of a finding.
SHOWN = 3
#: Cells from which on examples stand beside their finding.
WIDE = 120
STYLES = {"breaks": "bold red", "misleads": MIND, "look": ""}
MEANING = {
    "breaks": "an evaluation stops at it, or cannot be right",
    "misleads": "a number comes out better or worse than it is",
    "look": "may be meant so",
}


def check_view(found: Inspection, output: str | None = None) -> Group:
    """Facts, findings, the balance of labels, and what was not looked at."""
    parts: list[RenderableType] = [pairs((key, cell(value)) for key, value in facts(found))]
    if found.findings:
        parts += [Text(), _Findings(found)]
        kinds = dict.fromkeys(one.severity for one in found.findings)
        told = [f"{kind}: {MEANING[kind]}" for kind in SEVERITIES if kind in kinds]
        parts += [Text(), Text(" · ".join(told), FAINT)]
    else:
        parts += [Text(), Text("nothing found", GOOD)]
    balance = label_table(found.counts)
    if balance is not None:
        parts += [heading("labels"), balance]
    parts += [heading("notes"), bullets([cell(note) for note in found.notes])]
    if output is not None:
        parts += [Text(), cell(f"written: {output}")]
    return Group(*parts)


def facts(found: Inspection) -> list[tuple[str, str]]:
    """What was looked at, and how much was found."""
    splits = found.splits()
    rows = figures.rows(len(found.rows))
    if len(splits) > 1:
        rows += f": {', '.join(f'{split} {n:,}' for split, n in splits.items())}"
    by = Counter(one.severity for one in found.findings)
    counted = [f"{by[kind]} {kind}" for kind in SEVERITIES if by[kind]]
    speed = figures.rate(len(found.rows), found.seconds)
    return [
        ("data", found.data),
        ("rows", rows),
        ("text", ", ".join(found.text_columns)),
        ("label", found.label_column or "none"),
        ("findings", ", ".join(counted) or "none"),
        ("took", f"{figures.duration(found.seconds)} ({speed} rows/s)"),
    ]


def label_table(counts: Mapping[str, Mapping[Value | None, int]]) -> Table | None:
    """Rows and shares of each label in each split; None where no row has a label."""
    total: Counter[Value | None] = Counter()
    for own in counts.values():
        total.update(own)
    labels = [label for label, _ in total.most_common() if label is not None]
    if not labels or len(labels) > sum(total.values()) / 2:
        return None
    splits = list(counts)
    made = table("label", *[plain(one) for split in splits for one in (split, "share")])
    name = naming([one for one in labels if not isinstance(one, tuple)])
    shown = labels if len(labels) <= LABELS_SHOWN + 1 else labels[:LABELS_SHOWN]
    rest = labels[len(shown) :]
    lines: list[tuple[str, Sequence[Value | None]]] = [
        (shorten(name(label), LABEL_WIDTH), [label]) for label in shown
    ]
    if rest:
        lines.append((f"{len(rest):,} more labels", rest))
    if total[None]:
        lines.append(("without a label", [None]))
    sums = {split: sum(counts[split].values()) for split in splits}
    for words, alike in lines:
        cells = []
        for split in splits:
            n = sum(counts[split].get(label, 0) for label in alike)
            cells += [f"{n:,}", f"{n / sums[split]:.1%}" if sums[split] else "–"]
        made.add_row(Text(words), *cells)
    return made


class _Findings:
    """The findings: a table where there is room, else one below the other."""

    def __init__(self, found: Inspection) -> None:
        self.found = found

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width >= WIDE:
            yield self._table(options.max_width)
            return
        for place, one in enumerate(self.found.findings):
            if place:
                yield Text()
            yield from self._block(one, options.max_width)

    def _table(self, width: int) -> Table:
        made = table("severity", "finding", "rows", "examples", "next", words=5)
        made.columns[2].justify = "right"
        for column, share in zip(made.columns[1::2], (22, 45), strict=False):
            column.ratio = share
        made.columns[4].ratio = 25
        for column in made.columns[:3:2]:
            column.no_wrap = True
        for one in self.found.findings:
            examples = examples_of(self.found, one, SHOWN, max(30, width // 4))
            made.add_row(
                Text(one.severity, STYLES[one.severity]),
                _told(one),
                f"{one.n:,}" if one.n else "",
                Text("\n").join(Text(example, FAINT) for example in examples),
                cell(one.step),
            )
        return made

    def _block(self, one: Finding, width: int) -> RenderResult:
        head = Text(one.severity, STYLES[one.severity])
        head.append(f"  {f'{one.n:,} × ' if one.n else ''}{one.title}", HEAD)
        yield head
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        if one.note:
            grid.add_row("  ", cell(one.note))
        for example in examples_of(self.found, one, SHOWN, max(30, width - 24)):
            grid.add_row("  ", Text(example, FAINT))
        grid.add_row(" →", cell(one.step))
        yield grid


def _told(one: Finding) -> Text:
    told = Text(one.title)
    if one.note:
        told.append(f"\n{plain(one.note)}", FAINT)
    return told
