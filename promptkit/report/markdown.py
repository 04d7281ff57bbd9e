"""Results as tables for a pull request or a README."""

from __future__ import annotations

import re
from collections.abc import Sequence

from promptkit.metrics import Report
from promptkit.report.facts import SHOWN_DIGITS, facts_of
from promptkit.report.figures import (
    MISSING,
    SHORT_NAMES,
    decimal,
    duration,
    metric_name,
    rate,
    rows,
    size,
    span,
)
from promptkit.report.plain import naming, plain
from promptkit.types import Cost, RunRecord

#: Metrics of the table that compares several runs.
COMPARED = ("accuracy", "macro_f1", "ece")


def as_markdown(records: Sequence[RunRecord]) -> str:
    """A section per run; before them, where there are several, one table of all."""
    parts = [_comparison(records)] if len(records) > 1 else []
    return "\n".join([*parts, *map(_section, records)])


def escaped(text: str) -> str:
    r"""Text of rows and labels that Markdown leaves as it is; ``|`` would end a table's cell."""
    return re.sub(r"([\\`*_\[\]<>|~#])", r"\\\1", plain(text)).replace("&", "&amp;")


def table(heads: Sequence[str], lines: Sequence[Sequence[str]], words: int = 1) -> str:
    """A GitHub table of cells that are escaped already; all but the first columns are numbers."""
    rule = ["---" if place < words else "---:" for place in range(len(heads))]
    return "".join(f"| {' | '.join(line)} |\n" for line in (heads, rule, *lines))


def _comparison(records: Sequence[RunRecord]) -> str:
    lines = []
    for record in records:
        facts = facts_of(record)
        found = [record.report.find(metric) for metric in COMPARED]
        cells = [f"{decimal(one.value)} ({span(one)})" if one else MISSING for one in found]
        named = (facts.template, facts.model, facts.data_and_split, facts.prompting)
        lines.append([*map(escaped, named), *cells, f"{record.report.n_unscored:,}"])
    metrics = [f"{SHORT_NAMES[metric]} (95% interval)" for metric in COMPARED]
    return table(["template", "model", "data", "prompts", *metrics, "unscored"], lines, words=4)


def _section(record: RunRecord) -> str:
    report, facts = record.report, facts_of(record)
    name = naming(record.labels)
    told = [
        facts.served,
        f"{facts.data_and_split}, {rows(facts.n)}",
        facts.prompting,
        f"evidence: {facts.evidence or 'none'}",
        f"run {facts.fingerprint[:SHOWN_DIGITS]}",
        "answered from the store" if record.from_store else "",
    ]
    parts = [
        f"## {escaped(facts.template if facts.is_prompted else facts.strategy)}\n",
        escaped(" · ".join(filter(None, told))) + "\n",
        _scores(report, name(report.majority_label)),
    ]
    if report.per_class and report.n:
        lines = [
            [
                escaped(name(one.label)),
                *map(decimal, (one.precision, one.recall, one.f1)),
                f"{one.support:,}",
                f"{one.predicted:,}",
            ]
            for one in report.per_class
        ]
        heads = ["label", "precision", "recall", "F1", "support", "predicted"]
        parts.append(table(heads, lines))
    parts.append(f"Cost: {_cost(record.cost)}\n")
    if record.notes:
        parts.append("".join(f"- {escaped(note)}\n" for note in record.notes))
    return "\n".join(parts)


def _scores(report: Report, majority: str) -> str:
    lines = [
        [escaped(metric_name(one.metric, majority)), decimal(one.value), span(one), f"{one.n:,}"]
        for one in (*report.scores, *report.baselines)
    ]
    lines.append(["unscored rows", f"{report.n_unscored:,}", "", f"{report.n:,}"])
    return table(["metric", "value", "95% interval", "rows"], lines)


def _cost(cost: Cost) -> str:
    known = f"cache: {cost.cached_rows:,} of {cost.cached_rows + cost.rows:,} rows"
    items = [
        *([known] if cost.cached_rows else []),
        f"{rate(cost.rows, cost.seconds)} rows/s",
        f"{cost.prompt_tokens:,} prompt tokens",
        f"{cost.computed_tokens:,} computed tokens",
        duration(cost.seconds),
        f"peak memory {size(cost.peak_bytes)}",
    ]
    return ", ".join(items)
