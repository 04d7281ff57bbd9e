"""Rows to label next: a table, and a file in which labels can be filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from promptkit.report import figures
from promptkit.report.layout import FAINT, bullets, heading, pairs, table
from promptkit.report.markdown import escaped
from promptkit.report.markdown import table as markdown_table
from promptkit.report.plain import LABEL_WIDTH, cell, naming, plain, shorten
from promptkit.report.written import csv_text, finite, json_text
from promptkit.runs.label_next import WAYS, ToLabel

HEADS = ("", "text", "suggested", "p", "why")
#: Rows that are shown where a file holds them all, and cells of a text.
SHOWN, TEXT_WIDTH = 20, 120


def print_to_label(
    found: ToLabel, output: str | None = None, console: Console | None = None
) -> None:
    """What was looked at, and the rows.

    Args:
        found: The rows.
        output: A file that they were written to; then the table shows the first of them.
        console: Where to; standard output by default.
    """
    console = console or Console(highlight=False)
    console.print(pairs((key, cell(value)) for key, value in facts(found)))
    shown = len(found.rows) if output is None else min(SHOWN, len(found.rows))
    console.print(heading("label next, the most valuable first"), rows_table(found, shown))
    if shown < len(found.rows):
        console.print(cell(f"and {len(found.rows) - shown:,} more", FAINT))
    if found.notes:
        console.print(heading("notes"), bullets([cell(note) for note in found.notes]))
    if output is not None:
        console.print(f"\nwritten: {output}", markup=False)
        told = f"fill in the column {found.label_column!r}, and give the file back: --labelled"
        console.print(cell(f"{told} {output}"))


def facts(found: ToLabel) -> list[tuple[str, str]]:
    """What the rows were chosen from, and how."""
    name = naming(found.labels)
    labels = shorten(", ".join(map(name, found.labels)), 60)
    return [
        ("pool", f"{figures.rows(found.n_pool)} of {found.data} without a label"),
        ("labelled", figures.rows(found.n_labelled)),
        *([("labels", f"{len(found.labels)}: {labels}")] if found.labels else []),
        *([("asked", found.model)] if found.model else []),
        ("chosen by", f"{found.by}: {WAYS[found.by]}"),
    ]


def rows_table(found: ToLabel, n: int) -> Table:
    """The first n rows, a line each."""
    made = table(*HEADS, words=len(HEADS))
    for place, heads in enumerate(HEADS):
        if heads in ("", "p"):
            made.columns[place].justify, made.columns[place].no_wrap = "right", True
        if heads in ("text", "why"):
            made.columns[place].ratio = 3
    made.columns[2].max_width = 18
    for line in _lines(found, TEXT_WIDTH)[:n]:
        made.add_row(*(cell(one) for one in line))
    return made


def to_label_rows(found: ToLabel) -> list[dict[str, Any]]:
    """Each row with its own columns, an empty label, and what is said of it."""
    return [
        {
            **{name: one.row.get(name) for name in found.columns},
            found.label_column: None,
            "suggested": one.label,
            "probability": None if one.probability is None else round(one.probability, 4),
            "why": plain(one.why),
        }
        for one in found.rows
    ]


def to_label_csv(found: ToLabel) -> str:
    """A spreadsheet to fill in."""
    columns = [*found.columns, found.label_column, "suggested", "probability", "why"]
    return csv_text(columns, [_cells(row) for row in to_label_rows(found)])


def to_label_jsonl(found: ToLabel) -> str:
    """The same, an object a line."""
    return "".join(json_text(row) for row in to_label_rows(found))


def to_label_json(found: ToLabel) -> str:
    """The same, with what they were chosen from."""
    return json_text(
        {
            "data": found.data,
            "by": found.by,
            "model": found.model,
            "n_labelled": found.n_labelled,
            "n_pool": found.n_pool,
            "labels": found.labels,
            "notes": found.notes,
            "rows": to_label_rows(found),
        },
        indent=2,
    )


def to_label_markdown(found: ToLabel) -> str:
    """The rows as a table for a pull request or a README."""
    lines = [[escaped(one) for one in line] for line in _lines(found, TEXT_WIDTH)]
    told = " · ".join(f"{key}: {value}" for key, value in facts(found))
    notes = "".join(f"- {escaped(note)}\n" for note in found.notes)
    whole = f"{escaped(told)}\n\n{markdown_table(HEADS, lines, words=len(HEADS))}"
    return whole + (f"\n{notes}" if notes else "")


def _lines(found: ToLabel, cells: int) -> list[list[str]]:
    name = naming(found.labels)
    return [
        [
            str(number),
            shorten(plain(one.text), cells),
            figures.MISSING if one.label is None else shorten(name(one.label), LABEL_WIDTH),
            figures.MISSING if one.probability is None else f"{one.probability:.2f}",
            plain(one.why),
        ]
        for number, one in enumerate(found.rows, start=1)
    ]


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """Lists and objects as JSON, as a CSV file can hold nothing else."""
    return {
        name: json.dumps(finite(value), ensure_ascii=False)
        if isinstance(value, list | dict)
        else value
        for name, value in row.items()
    }
