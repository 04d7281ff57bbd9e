"""What was found in a data set, for other programs and for a pull request."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

from promptkit.data.inspection import Finding, Inspection, Row
from promptkit.report import figures
from promptkit.report.markdown import escaped, table
from promptkit.report.plain import naming, plain, shorten
from promptkit.report.written import csv_text, finite, json_text

COLUMNS = ("severity", "finding", "split", "file", "line", "id", "label", "note", "text")
#: Characters of a text that are written.
TEXT = 300
#: Examples of a finding in Markdown.
SHOWN = 3


def check_rows(found: Inspection) -> Iterator[dict[str, Any]]:
    """A line for each row of each finding; one without rows has a line of its own."""
    for finding in found.findings:
        about = {"severity": finding.severity, "finding": finding.kind}
        if not finding.spots:
            yield {**about, "note": finding.note}
        for spot in finding.spots:
            row = found.rows[spot.row]
            yield {**about, **_place(row), "note": spot.note, "text": row.text[:TEXT]}


def check_json(found: Inspection) -> str:
    """All findings with all their rows."""
    return json_text(
        {
            "data": found.data,
            "rows": len(found.rows),
            "splits": found.splits(),
            "text_columns": list(found.text_columns),
            "label_column": found.label_column,
            "labels": {
                split: [{"label": label, "rows": n} for label, n in own.items()]
                for split, own in found.counts.items()
            },
            "findings": [_finding(found, one) for one in found.findings],
            "notes": list(found.notes),
        },
        indent=2,
    )


def check_csv(found: Inspection) -> str:
    """A line for each row of each finding."""
    lines = []
    for line in check_rows(found):
        label = line.get("label")
        cell = json.dumps(finite(label), ensure_ascii=False) if isinstance(label, tuple) else label
        lines.append({name: line.get(name) for name in COLUMNS} | {"label": cell})
    return csv_text(COLUMNS, lines)


def check_markdown(found: Inspection) -> str:
    """The table of findings with some rows of each, and what to do."""
    told = [f"{escaped(found.data)}: {figures.rows(len(found.rows))}", *_split_words(found)]
    lines = [
        [
            one.severity,
            escaped(one.title + (f" ({one.note})" if one.note else "")),
            "<br>".join(escaped(example) for example in examples_of(found, one, SHOWN, 60)),
            escaped(one.step),
            f"{one.n:,}" if one.n else "",
        ]
        for one in found.findings
    ]
    parts = [" · ".join(told) + "\n"]
    if lines:
        parts.append(table(["severity", "finding", "examples", "next", "rows"], lines, words=4))
    else:
        parts.append("Nothing found.\n")
    parts.append("".join(f"- {escaped(note)}\n" for note in found.notes))
    return "\n".join(parts)


def examples_of(found: Inspection, finding: Finding, n: int, cells: int) -> list[str]:
    """The first rows of a finding, each on one line, none of it able to steer a terminal."""
    name = naming([])
    folder = _folder(found)
    told = []
    for spot in _spread(finding, n):
        row = found.rows[spot.row]
        label = f" [{shorten(name(row.label), 24)}]" if row.label is not None else ""
        note = f" ({plain(spot.note)})" if spot.note else ""
        text = f" {shorten(plain(row.text), cells)}" if row.text.strip() else ""
        told.append(f"{plain(row.where)}{label}{note}".replace(folder, "") + (text and f":{text}"))
    return told


def _folder(found: Inspection) -> str:
    """The folder of all files, which tables leave out of their names."""
    parts = [row.file.rpartition("/")[0] for row in found.rows[:: max(1, len(found.rows) // 1000)]]
    if not parts or len({part.startswith("/") for part in parts}) > 1:
        return "\0"
    return plain(os.path.commonpath(parts)) + "/" if all(parts) else "\0"


def _spread(finding: Finding, n: int) -> list[Any]:
    """Rows from the whole of a finding, not only from its beginning: often those are alike."""
    if len(finding.spots) <= n:
        return list(finding.spots)
    step = len(finding.spots) / n
    return [finding.spots[int(place * step)] for place in range(n)]


def _finding(found: Inspection, finding: Finding) -> dict[str, Any]:
    rows = []
    for spot in finding.spots:
        row = found.rows[spot.row]
        line = {**_place(row), "note": spot.note, "text": row.text[:TEXT]}
        if spot.other is not None:
            line["other"] = _place(found.rows[spot.other])
        rows.append(line)
    return {
        "kind": finding.kind,
        "title": finding.title,
        "severity": finding.severity,
        "note": finding.note,
        "next": finding.step,
        "n": finding.n,
        "rows": rows,
    }


def _place(row: Row) -> dict[str, Any]:
    return {
        "split": row.split,
        "file": row.file,
        "line": row.number,
        "id": row.id,
        "label": row.label,
    }


def _split_words(found: Inspection) -> list[str]:
    splits = found.splits()
    return [f"{escaped(split)} {n:,}" for split, n in splits.items()] if len(splits) > 1 else []


CHECKS: dict[str, Callable[[Inspection], str]] = {
    "json": check_json,
    "csv": check_csv,
    "markdown": check_markdown,
}
