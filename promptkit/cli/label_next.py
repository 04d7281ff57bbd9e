"""``promptkit label-next``: an unlabelled file in, the rows that are worth a label out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli.eval import write
from promptkit.cli.options import (
    MODEL,
    RESULT,
    ROWS,
    STRATEGY,
    Device,
    Dtype,
    FieldColumns,
    IdField,
    LabelField,
    LabelMap,
    Labels,
    TextField,
    pairs,
    panel,
)
from promptkit.cli.progress import watched
from promptkit.errors import Interrupted, SpecError

if TYPE_CHECKING:
    from promptkit.runs.label_next import Request, ToLabel
    from promptkit.runs.spec import EvalSpec

HELP = """Say which rows of an unlabelled file to label next.

[bold]Examples[/bold]

  promptkit label-next --data pool.csv --labels negative,neutral,positive --output next.csv

  promptkit label-next --data pool.csv --labelled next.csv --n 25 --output more.csv

  promptkit label-next --data tickets.csv --text-field body --by typical

A model that is adapted to the labelled rows says of each row of the pool what it takes it for, and
the rows come first whose labels would make it surer of all others. Without labelled rows it is
asked zero-shot, and rows are drawn, as many of each label; where no labels are known either, they
are drawn by chance: nothing did better on average. The output holds the rows' own columns, an
[bold]empty label[/bold] to fill in, and why each row is there; given back as --labelled, its filled
rows are learned from.
"""

SUFFIXES = {
    ".csv": "csv", ".jsonl": "jsonl", ".json": "json", ".md": "markdown", ".txt": "table",
}  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("label-next", help=HELP)(command)


def command(
    context: typer.Context,
    data: Annotated[
        str, typer.Option(help="The pool: a file, a folder, an in-box name, or hf:owner/name.")
    ],
    labelled: Annotated[
        str | None, typer.Option(help="Rows with labels; those without are left aside.")
    ] = None,
    n: Annotated[int, typer.Option("--n", "-n", help="How many rows.")] = 50,
    by: Annotated[
        str,
        panel(
            "auto (default), informative, margin, committee, diverse, typical, balanced or random.",
            STRATEGY,
        ),
    ] = "auto",
    template: Annotated[
        str | None,
        typer.Option("--template", "-t", help="How the task is put: what its labels mean."),
    ] = None,
    split: Annotated[str | None, panel("Part of the data set (default: train).", ROWS)] = None,
    text_field: TextField = None,
    field: FieldColumns = None,
    label_field: LabelField = None,
    id_field: IdField = None,
    label_map: LabelMap = None,
    labels: Labels = None,
    model: Annotated[
        str | None, panel("A folder or a hub id (default: minilm, in the box).", MODEL)
    ] = None,
    device: Device = None,
    dtype: Dtype = None,
    seed: Annotated[int | None, panel("Seed of every random choice.", STRATEGY)] = None,
    format: Annotated[str, panel("table, csv, jsonl, json or markdown.", RESULT)] = "table",
    output: Annotated[
        str | None, panel("Write a file too, by its suffix: .csv, .jsonl, .json, .md.", RESULT)
    ] = None,
) -> None:
    """Suggest; the long help is HELP."""
    from promptkit.runs import eval_spec
    from promptkit.runs.label_next import Request

    check_results(format, output, (data, labelled))
    apart = {"labelled", "n", "by", "field", "label_map", "format", "output"}
    options: dict[str, Any] = {k: v for k, v in context.params.items() if k not in apart}
    options["strategy"] = "features"  # which needs no template
    options["fields"] = pairs(field, "--field", "premise=sentence1")
    options["label_map"] = pairs(label_map, "--label-map", "5=positive")
    asked = eval_spec(None, options)
    request = Request(n, by, asked.model, asked.seed, asked.device, asked.dtype)
    _show(_suggested(asked, request, labelled), format, output)


def _suggested(asked: EvalSpec, request: Request, labelled: str | None) -> ToLabel:
    from promptkit.runs.label_next import label_next_of

    so_far = (0, 0)

    def on_progress(done: int, total: int) -> None:
        nonlocal so_far
        so_far = done, total
        watch.on_progress(done, total)

    with watched("asking about the pool") as watch:
        try:
            return label_next_of(asked, request, labelled, on_progress)
        except KeyboardInterrupt as error:
            kept = "of the pool were asked about; what the model read is kept"
            raise Interrupted(*so_far, "rows", kept) from error


def check_results(format: str, output: str | None, sources: tuple[str | None, ...] = ()) -> None:
    """Refuse before the work what could not be written after it.

    Raises:
        SpecError: No such format, folder or suffix, or a file that the rows come from.
    """
    from promptkit.errors import nearest

    if format not in SUFFIXES.values():
        raise SpecError(f"--format {format!r}: {nearest(format, tuple(SUFFIXES.values()))}")
    if output is None:
        return
    target = Path(output)
    if not target.absolute().parent.is_dir():
        raise SpecError(f"--output {output}: no such folder {target.parent}")
    if target.suffix not in SUFFIXES:
        raise SpecError(f"--output {output}: the name must end in {', '.join(SUFFIXES)}")
    for source in sources:
        own = None if source is None else Path(source).expanduser()
        if own is not None and own.exists() and target.exists() and target.samefile(own):
            raise SpecError(f"--output {output}: is a file of rows itself; name another")


def _show(found: ToLabel, format: str, output: str | None) -> None:
    from promptkit.report.to_label import print_to_label

    if output:
        write(output, _as(found, SUFFIXES[Path(output).suffix]))
    if format == "table":
        print_to_label(found, output)
    else:
        sys.stdout.write(_as(found, format))


def _as(found: ToLabel, format: str) -> str:
    from promptkit.report.labelled import NEXT, NextLabels

    return str(NextLabels(found, ())) if format == "table" else NEXT[format](found)
