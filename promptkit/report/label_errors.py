"""Labels that may be wrong: a table, and a file to go through."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from promptkit.report import figures
from promptkit.report.layout import FAINT, bullets, heading, pairs, table
from promptkit.report.markdown import escaped
from promptkit.report.markdown import table as markdown_table
from promptkit.report.plain import LABEL_WIDTH, cell, naming, plain, shorten, shorten_middle
from promptkit.report.written import csv_text, finite, json_text
from promptkit.runs.label_errors import LabelErrors

HEADS = ("id", "text", "label", "suggested", "p", "quality")
TWINS = ("text", "labels", "ids")
#: Columns of a file beside the rows' own; they stand in place of own ones of that name.
ADDED = ("suggested", "probability", "quality")
#: A model that says fewer of the given labels than this is more often wrong than they are.
DOUBTFUL = 0.8
#: Rows that are shown, and cells of an id and of a text.
SHOWN, ID_WIDTH, TEXT_WIDTH = 20, 14, 120
#: What must be said with every list.
LOOK = "each is a suspicion: look at the row before its label is changed"


def print_label_errors(
    found: LabelErrors, output: str | None = None, console: Console | None = None
) -> None:
    """What was looked at, the suspects, and texts that have several labels.

    Args:
        found: What was found.
        output: A file that all of them were written to.
        console: Where to; standard output by default.
    """
    console = console or Console(highlight=False)
    console.print(pairs((key, cell(value)) for key, value in facts(found)))
    shown = min(SHOWN, len(found.suspects))
    if shown:
        console.print(heading("suspected labels, the most suspicious first"))
        console.print(suspects_table(found, shown))
    if shown < len(found.suspects):
        told = "" if output else ": --output suspects.csv holds all"
        console.print(cell(f"and {len(found.suspects) - shown:,} more{told}", FAINT))
    if found.contradictions:
        console.print(heading("same text, several labels"), _twins_table(found))
    console.print(heading("notes"), bullets([cell(note) for note in notes_of(found)]))
    if output is not None:
        console.print(f"\nwritten: {output}", markup=False)


def facts(found: LabelErrors) -> list[tuple[str, str]]:
    """What was looked at, and how much is suspected."""
    share = len(found.suspects) / found.n
    return [
        ("rows", f"{figures.rows(found.n)} of {found.data}, {len(found.labels)} labels"),
        ("suspected", f"{len(found.suspects):,} labels ({share:.1%})"),
        ("contradictions", f"{len(found.contradictions):,} texts with several labels"),
        ("asked", found.strategy),
        ("says the given label", f"{found.accuracy:.1%} of the rows, none of them seen"),
    ]


def notes_of(found: LabelErrors) -> list[str]:
    """What a reader must know."""
    if not found.suspects:
        return [*found.notes, "no label is suspected"]
    often = f"{1 - found.accuracy:.0%} of the labels are not what the model says"
    doubt = [f"{often}: most suspicions are its own errors"] if found.accuracy < DOUBTFUL else []
    return [*found.notes, *doubt, LOOK]


def suspects_table(found: LabelErrors, n: int) -> Table:
    """The n most suspicious rows, a line each."""
    made = table(*HEADS, words=4)
    made.columns[0].no_wrap = True
    made.columns[1].ratio = 1
    for column in made.columns[2:4]:
        column.max_width = 18
    for line in _lines(found)[:n]:
        made.add_row(*(cell(one) for one in line))
    return made


def label_error_rows(found: LabelErrors) -> list[dict[str, Any]]:
    """Each suspect with its own columns, and what is said of it."""
    return [
        {
            "id": one.id,
            **{name: one.row.get(name) for name in found.columns},
            found.label_column: one.label,
            "suggested": one.suggested,
            "probability": round(one.probability, 4),
            "quality": round(one.quality, 4),
        }
        for one in found.suspects
    ]


def label_errors_csv(found: LabelErrors) -> str:
    """A line for each suspect."""
    own = [name for name in found.columns if name not in ("id", found.label_column, *ADDED)]
    columns = ["id", *own, found.label_column, *ADDED]
    lines = [
        {
            name: json.dumps(finite(value), ensure_ascii=False)
            if isinstance(value, list | dict)
            else value
            for name, value in row.items()
        }
        for row in label_error_rows(found)
    ]
    return csv_text(columns, lines)


def label_errors_jsonl(found: LabelErrors) -> str:
    """An object for each suspect."""
    return "".join(json_text(row) for row in label_error_rows(found))


def label_errors_json(found: LabelErrors) -> str:
    """The suspects, the contradictions, and what was looked at."""
    return json_text(
        {
            "data": found.data,
            "n": found.n,
            "labels": found.labels,
            "strategy": found.strategy,
            "accuracy": found.accuracy,
            "notes": notes_of(found),
            "suspects": label_error_rows(found),
            "contradictions": [
                {"text": one.text, "ids": one.ids, "labels": one.labels}
                for one in found.contradictions
            ],
        },
        indent=2,
    )


def label_errors_markdown(found: LabelErrors) -> str:
    """The tables, for a pull request or a README."""
    told = " · ".join(f"{key}: {value}" for key, value in facts(found))
    lines = [[escaped(one) for one in line] for line in _lines(found)]
    parts = [escaped(told) + "\n", markdown_table(HEADS, lines, words=4)]
    if found.contradictions:
        twins = [[escaped(one) for one in line] for line in _twins(found)]
        parts += ["Same text, several labels:\n", markdown_table(TWINS, twins, words=3)]
    parts.append("".join(f"- {escaped(note)}\n" for note in notes_of(found)))
    return "\n".join(parts)


def _lines(found: LabelErrors) -> list[list[str]]:
    name = naming(found.labels)
    return [
        [
            shorten_middle(plain(one.id), ID_WIDTH),
            shorten(plain(one.text), TEXT_WIDTH),
            shorten(name(one.label), LABEL_WIDTH),
            shorten(name(one.suggested), LABEL_WIDTH),
            f"{one.probability:.2f}",
            f"{one.quality:.3f}",
        ]
        for one in found.suspects
    ]


def _twins(found: LabelErrors) -> list[list[str]]:
    name = naming(found.labels)
    return [
        [
            shorten(plain(one.text), TEXT_WIDTH),
            ", ".join(name(label) for label in one.labels),
            ", ".join(shorten_middle(plain(row), ID_WIDTH) for row in one.ids),
        ]
        for one in found.contradictions
    ]


def _twins_table(found: LabelErrors) -> Table:
    made = table(*TWINS, words=len(TWINS))
    for line in _twins(found):
        made.add_row(*(cell(one) for one in line))
    return made
