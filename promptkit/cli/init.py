"""``promptkit init``: a file of rows in, a first template and eval spec out."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from promptkit.data.survey import Survey
    from promptkit.runs.start import Start

HELP = """Look over a file of labelled rows, and write a template and an eval spec for it.

Says which columns hold text and labels and why, how many rows each label has, and what to mind:
empty texts, copies, texts with several labels, rare labels. What it writes runs as it is and is
meant to be edited.

[bold]Examples[/bold]

  promptkit init reviews.csv

  promptkit init tickets.jsonl --text-field body --label-field queue --output tickets
"""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("init", help=HELP)(command)


def command(
    data: Annotated[
        str, typer.Argument(help="CSV, TSV, JSONL, JSON or Parquet.", show_default=False)
    ],
    output: Annotated[str, typer.Option(help="The folder to write to.")] = ".",
    text_field: Annotated[
        str | None, typer.Option(help="The text column.", show_default=False)
    ] = None,
    label_field: Annotated[
        str | None, typer.Option(help="The column of gold labels.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files of an earlier time.")] = (
        False
    ),
) -> None:
    """Look over; the long help is HELP."""
    from rich.console import Console

    from promptkit.data.survey import survey
    from promptkit.report.survey import survey_view
    from promptkit.runs.start import start, write

    found = survey(data, text_field=text_field, label_field=label_field)
    made = start(found, Path(output))
    Console().print(survey_view(found))
    write(made, force=force)
    typer.echo(f"\nwrote {made.template}: words and statements of each label, to be edited")
    typer.echo(f"wrote {made.spec}: what to evaluate\n\nnext")
    for line in _next(found, made, data):
        typer.echo(f"  {line}")


def _next(found: Survey, made: Start, data: str) -> list[str]:
    """Commands that go on from here, as they are typed."""
    compared = ["promptkit", "compare", "--data", data]
    roles = [("text", found.text.column), ("label", found.label.column)]
    roles += [("id", found.id.column)] if found.id is not None else []
    for role, column in roles:
        compared += [f"--{role}-field", column] if column != role else []
    return [
        shlex.join(["promptkit", "preview", str(made.spec)]),
        shlex.join(["promptkit", "eval", str(made.spec)]),
        shlex.join([*compared, "--template", str(made.template)]),
    ]
