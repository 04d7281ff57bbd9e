"""Tables of labels: how each one fared, and which were taken for which."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from promptkit.metrics import PerClass, Report
from promptkit.report.figures import decimal
from promptkit.report.layout import FAINT, GOOD, MIND, Flow, heading, table
from promptkit.report.plain import LABEL_WIDTH, shorten
from promptkit.types import Value

#: Labels up to which all are shown.
ALL_SHOWN = 12

#: Pairs of labels that are shown where a matrix would be too wide.
PAIRS_SHOWN = 10

Name = Callable[[Value | None], str]


def label_tables(report: Report, name: Name) -> list[RenderableType]:
    """Per-class table and, of rows with one label each, a confusion matrix; or nothing."""
    if not report.per_class or not report.n:
        return []
    made = [heading("by label"), per_class_table(report.per_class, name)]
    return [*made, Confusion(report, name)] if report.confusion else made


def per_class_table(lines: Sequence[PerClass], name: Name) -> RenderableType:
    """Precision, recall and F1 by label; of more than 12, the six worst and the six best."""
    made = table("label", "precision", "recall", "F1", "support", "predicted")
    if len(lines) <= ALL_SHOWN:
        _add(made, lines, name)
        return made
    half = ALL_SHOWN // 2
    # A label that occurs nowhere has F1 0 by convention and would crowd out the bad ones.
    seen = sorted((line for line in lines if line.support + line.predicted), key=lambda x: x.f1)
    low, high = seen[:half], seen[max(half, len(seen) - half) :]
    _add(made, low, name)
    made.add_section()
    _add(made, high, name)
    between, nowhere = len(seen) - len(low) - len(high), len(lines) - len(seen)
    told = [
        f"lowest and highest F1; labels between them, left out: {between}" if between else "",
        f"labels that occur nowhere: {nowhere}" if nowhere else "",
    ]
    return Group(made, Flow(told, FAINT)) if any(told) else made


def _add(made: Table, lines: Sequence[PerClass], name: Name) -> None:
    for line in lines:
        made.add_row(
            Text(shorten(name(line.label), LABEL_WIDTH)),
            *map(decimal, (line.precision, line.recall, line.f1)),
            f"{line.support:,}",
            f"{line.predicted:,}",
        )


class Confusion:
    """Which label was taken for which, in the widest form that fits.

    A matrix with names over its columns; else one with numbers there, which the rows explain;
    else, and for more than 12 labels, the largest confusions one by one.

    Args:
        report: Whose confusion matrix it is.
        name: How labels are called.
    """

    def __init__(self, report: Report, name: Name) -> None:
        self.counts = report.confusion
        self.names = [shorten(name(line.label), LABEL_WIDTH) for line in report.per_class]
        self.any_unscored = any(line[-1] for line in self.counts)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if len(self.names) <= ALL_SHOWN:
            forms = ((False, LABEL_WIDTH), (True, LABEL_WIDTH), (True, options.max_width // 4))
            for numbered, cells in forms:
                made = self._matrix(numbered, cells)
                wide = Measurement.get(console, options.update(max_width=10_000), made)
                if wide.maximum <= options.max_width:
                    yield heading("gold label down, predicted label across")
                    yield made
                    return
        yield from self._pairs()

    def _matrix(self, numbered: bool, cells: int) -> Table:
        heads = [str(place + 1) for place in range(len(self.names))] if numbered else self.names
        rows = [shorten(name, cells) for name in self.names]
        if numbered:
            rows = [f"{place:>2} {name}" for place, name in zip(heads, rows, strict=True)]
        last = ["unscored" if not numbered else "none"] if self.any_unscored else []
        made = table("", *heads, *last, gap=1 if numbered else 2)
        for place, (row, line) in enumerate(zip(rows, self.counts, strict=True)):
            shown = [_count(n, diagonal=place == at) for at, n in enumerate(line[:-1])]
            shown += [_count(line[-1], unscored=True)] if last else []
            made.add_row(Text(row, no_wrap=True), *shown)
        return made

    def _pairs(self) -> list[RenderableType]:
        across = [*self.names, "unscored"]
        wrong = [
            (n, gold, predicted)
            for gold, line in enumerate(self.counts)
            for predicted, n in enumerate(line)
            if n and gold != predicted
        ]
        wrong.sort(key=lambda one: -one[0])
        made = table("gold", "predicted", "rows", "of gold", words=2)
        for n, gold, predicted in wrong[:PAIRS_SHOWN]:
            share = f"{n / sum(self.counts[gold]):.0%}"
            made.add_row(Text(self.names[gold]), Text(across[predicted]), f"{n:,}", share)
        shown = min(PAIRS_SHOWN, len(wrong))
        title = f"largest confusions ({shown} of {len(wrong):,})" if wrong else "no confusions"
        return [heading(title), made] if wrong else [heading(title)]


def _count(n: int, *, diagonal: bool = False, unscored: bool = False) -> Text:
    """Zeros are dots, so that the diagonal stands out without colours too."""
    style = FAINT if not n else GOOD if diagonal else MIND if unscored else ""
    return Text(f"{n:,}" if n else "·", style)
