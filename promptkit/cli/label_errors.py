"""``promptkit label-errors``: labelled rows in, those whose labels may be wrong out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli.eval import write
from promptkit.cli.label_next import SUFFIXES, check_results
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
    Limit,
    Options,
    TextField,
    option_values,
    pairs,
    panel,
)
from promptkit.cli.progress import watched
from promptkit.errors import Interrupted

if TYPE_CHECKING:
    from promptkit.runs.label_errors import LabelErrors, Search
    from promptkit.runs.spec import EvalSpec

HELP = """Say which labels of a file may be wrong.

[bold]Examples[/bold]

  promptkit label-errors --data reviews.csv

  promptkit label-errors --data tickets.csv --text-field body --label-field team
  --output suspects.csv

Each row is answered by a model that was fitted without it and without copies of its text;
confident learning (the package cleanlab) says which labels these answers make doubtful. The most
suspicious label comes first, and texts that have several labels are told too. A suspicion is no
proof: look at each row before its label is changed.
"""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("label-errors", help=HELP)(command)


def command(
    context: typer.Context,
    data: Annotated[
        str, typer.Option(help="Labelled rows: a file, a folder, an in-box name, hf:owner/name.")
    ],
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
    limit: Limit = None,
    strategy: Annotated[
        str, panel("Who answers: features (default), tfidf, head or another.", STRATEGY)
    ] = "features",
    option: Options = None,
    folds: Annotated[int, panel("Parts that rows are dealt into (default: 10).", STRATEGY)] = 10,
    repeats: Annotated[
        int, panel("How often they are dealt; answers are averaged (default: 1).", STRATEGY)
    ] = 1,
    seed: Annotated[int | None, panel("Seed of every random choice.", STRATEGY)] = None,
    model: Annotated[
        str | None, panel("A folder or a hub id (default: minilm, in the box).", MODEL)
    ] = None,
    device: Device = None,
    dtype: Dtype = None,
    format: Annotated[str, panel("table, csv, jsonl, json or markdown.", RESULT)] = "table",
    output: Annotated[
        str | None, panel("Write a file too, by its suffix: .csv, .jsonl, .json, .md.", RESULT)
    ] = None,
) -> None:
    """Look; the long help is HELP."""
    from promptkit.runs import eval_spec
    from promptkit.runs.label_errors import Search

    check_results(format, output, (data,))
    apart = {"field", "label_map", "format", "output", "folds", "repeats", "option"}
    options: dict[str, Any] = {k: v for k, v in context.params.items() if k not in apart}
    options["fields"] = pairs(field, "--field", "premise=sentence1")
    options["label_map"] = pairs(label_map, "--label-map", "5=positive")
    options["strategy_options"] = option_values(option)
    asked = eval_spec(None, options)
    search = Search(
        strategy=asked.strategy,
        options=asked.strategy_options,
        model=asked.model,
        folds=folds,
        repeats=repeats,
        seed=asked.seed,
        device=asked.device,
        dtype=asked.dtype,
    )
    _show(_found(asked, search), format, output)


def _found(asked: EvalSpec, search: Search) -> LabelErrors:
    from promptkit.runs.label_errors import label_errors_of

    so_far = (0, 0)

    def on_fold(done: int, total: int) -> None:
        nonlocal so_far
        so_far = done, total
        watch.on_run(done, total, "leaving rows out")

    with watched("answering rows unseen") as watch:
        try:
            return label_errors_of(asked, search, on_fold)
        except KeyboardInterrupt as error:
            kept = "were done; what the model read is kept"
            raise Interrupted(*so_far, "fits", kept) from error


def _show(found: LabelErrors, format: str, output: str | None) -> None:
    from promptkit.report.label_errors import print_label_errors

    if output:
        write(output, _as(found, SUFFIXES[Path(output).suffix]))
    if format == "table":
        print_label_errors(found, output)
    else:
        sys.stdout.write(_as(found, format))


def _as(found: LabelErrors, format: str) -> str:
    from promptkit.report.labelled import ERRORS, SuspectLabels

    return str(SuspectLabels(found, ())) if format == "table" else ERRORS[format](found)
