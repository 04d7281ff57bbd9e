"""Tables with one run a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from promptkit.metrics import Spread, spread
from promptkit.report.facts import SHOWN_DIGITS, facts_of
from promptkit.report.figures import MISSING, SHORT_NAMES, decimal, metric_name, rows
from promptkit.report.layout import FAINT, MIND, Flow, bullets, heading, pairs, table
from promptkit.report.plain import cell, naming, plain
from promptkit.types import RunRecord


def seeds_table(records: Sequence[RunRecord]) -> Group:
    """Several draws of the same run, and their mean, lowest and highest scores.

    Raises:
        ValueError: There is no record.
    """
    if not records:
        raise ValueError("no records to tabulate")
    facts, report = facts_of(records[0]), records[0].report
    metrics = list(dict.fromkeys(score.metric for one in records for score in one.report.scores))
    made = table("seed", "run", *map(_head, metrics), "unscored", words=2)
    for record in records:
        found = [record.report.find(metric) for metric in metrics]
        made.add_row(
            str(record.spec.seed),
            record.spec.fingerprint()[:SHOWN_DIGITS],
            *(decimal(score.value if score else None) for score in found),
            f"{record.report.n_unscored:,}",
        )
    for column in made.columns[2:]:
        # Heads of two words may stand on two lines; numbers have no space to break at.
        column.no_wrap = False
    made.add_section()
    spreads = [_spread(records, metric) for metric in metrics]
    for name in ("mean", "lowest", "highest"):
        values = (decimal(getattr(one, name)) for one in spreads)
        made.add_row(Text(name, "bold"), "", *values, "")
    drawn = "the draw of demonstrations" if facts.how == "prompts" else "a fit's chance"
    name = naming(records[0].labels)(report.majority_label)
    baselines = (
        f"{metric_name(one.metric, name)} {decimal(one.value)}" for one in report.baselines
    )
    return Group(
        pairs(
            [
                *([("template", cell(facts.template))] if facts.is_prompted else []),
                ("model", cell(facts.served)),
                ("data", cell(f"{facts.data_and_split}, {rows(facts.n)}")),
                (facts.how, cell(facts.prompting.rpartition(", seed")[0] or facts.prompting)),
                ("baselines", Flow(baselines)),
            ]
        ),
        Text(),
        made,
        Text(),
        Text(
            f"{len(records)} seeds: how far {drawn} moves the scores. How far "
            "the choice of rows does is each run's 95% interval: promptkit runs show RUN",
            FAINT,
        ),
        *_notes(records),
    )


def _notes(records: Sequence[RunRecord]) -> list[RenderableType]:
    """What the runs have to say besides numbers, each remark once."""
    notes = list(dict.fromkeys(note for record in records for note in record.notes))
    return [heading("notes"), bullets([cell(note) for note in notes])] if notes else []


def runs_table(runs: Sequence[Mapping[str, Any]]) -> Runs:
    """The stored runs, as ``promptkit runs list`` prints them.

    Args:
        runs: Each with fingerprint, when, status (complete or partial), template, model, data, n
            and accuracy, and shots if it likes; what is absent is a dash.
    """
    return Runs(runs)


class Runs:
    """Runs line by line; where space is short, what was run stands in one column, on three lines.

    Args:
        runs: See `runs_table`.
    """

    NAMED = ("template", "model", "data")

    def __init__(self, runs: Sequence[Mapping[str, Any]]) -> None:
        self.runs = runs

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = self._table(stacked=False)
        need = Measurement.get(console, options.update(max_width=10_000), wide).maximum
        yield wide if need <= options.max_width else self._table(stacked=True)

    def _table(self, *, stacked: bool) -> Table:
        named = [", ".join(self.NAMED)] if stacked else self.NAMED
        heads = ("run", "when", *named, "shots", "rows", "accuracy")
        made = table(*heads, words=2 + len(named))
        for column in made.columns[:2]:
            column.no_wrap = True
        for run in self.runs:
            shown = dict(run) | {"model": _short(run.get("model"))}
            texts = [plain(str(shown.get(key) or MISSING)) for key in self.NAMED]
            partial = run.get("status") == "partial"
            made.add_row(
                cell(str(run.get("fingerprint", ""))[:SHOWN_DIGITS]),
                cell(_minute(run.get("when"))),
                *map(Text, ["\n".join(texts)] if stacked else texts),
                *(Text(_whole(run.get(key))) for key in ("shots", "n")),
                Text("partial", MIND) if partial else Text(decimal(run.get("accuracy"))),
            )
        return made


def _head(metric: str) -> str:
    return SHORT_NAMES.get(metric, plain(metric))


def _spread(records: Sequence[RunRecord], metric: str) -> Spread:
    found = [record.report.find(metric) for record in records]
    return spread(score.value for score in found if score)


def _minute(when: object) -> str:
    """A date and time without seconds, whether it comes as text or as a datetime."""
    if isinstance(when, datetime):
        return when.strftime("%Y-%m-%d %H:%M")
    return str(when).replace("T", " ")[:16] if when else MISSING


def _short(model: object) -> str:
    """A model's own name, without its owner or the folders that it lies in."""
    text = str(model or "")
    return PurePath(text.replace("\\", "/")).name or text


def _whole(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else MISSING
