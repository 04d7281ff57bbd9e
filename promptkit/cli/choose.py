"""``promptkit choose``: labelled rows and several models in, the model and the layer to use out."""

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
    from promptkit.runs.choose import Candidates, Choice
    from promptkit.runs.spec import EvalSpec

HELP = """Choose a pre-trained model and a layer of it for your rows, before anything is trained.

[bold]Examples[/bold]

  promptkit choose --data customer_reviews

  promptkit choose --data reviews.csv --models minilm,./bge-small,./Qwen3-0.6B --verify

  promptkit choose --data reviews.csv --models minilm,./bert-base --reference wiki.jsonl
  --output choice.html --plot choice.png

Each model reads the rows once. Of every layer the table shows the accuracy of a linear probe that
leaves each row out of its own fit, with its interval, beside LogME, kNN and others in the exports;
of every model what it was trained on, how it fits the text, its size and its speed. It names
the best, or a smaller model within half a point of it, and says which others the rows cannot tell
from it. [bold]--verify[/bold] trains probes, and says how well each score foretold them.
"""

SUFFIXES = {
    ".json": "json", ".csv": "csv", ".md": "markdown", ".html": "html", ".txt": "table",
}  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("choose", help=HELP)(command)


def command(
    context: typer.Context,
    data: Annotated[
        str, typer.Option(help="A file, a folder, an in-box name, or hf:owner/name: labelled rows.")
    ],
    models: Annotated[
        str, panel("Folders or hub ids (default: minilm,pocket, in the box).", MODEL)
    ] = "minilm,pocket",
    layers: Annotated[str, panel("all (default), or several: 0,3,-1.", MODEL)] = "all",
    split: Annotated[str | None, panel("Part of the data set (default: train).", ROWS)] = None,
    text_field: TextField = None,
    field: FieldColumns = None,
    label_field: LabelField = None,
    id_field: IdField = None,
    label_map: LabelMap = None,
    labels: Labels = None,
    template: Annotated[
        str | None, panel("Read each row as this template's prompt, not by itself.", ROWS)
    ] = None,
    limit: Annotated[
        int | None, panel("Rows that are read at most, drawn (default: 1000).", ROWS)
    ] = None,
    reference: Annotated[
        str | None,
        panel("Texts that yours are compared with, such as the models' own corpus.", ROWS),
    ] = None,
    verify: Annotated[
        bool, panel("Train probes, and say how well scores foretold them.", RESULT, "--verify")
    ] = False,
    seed: Annotated[int | None, panel("Seed of every random choice.", RESULT)] = None,
    batch_size: Annotated[str | None, panel("auto, or texts of a batch.", MODEL)] = None,
    device: Device = None,
    dtype: Dtype = None,
    format: Annotated[str, panel("table, json, csv, markdown or html.", RESULT)] = "table",
    output: Annotated[
        str | None, panel("Write a file too, by its suffix: .json, .csv, .md, .html.", RESULT)
    ] = None,
    plot: Annotated[
        str | None, panel("Draw accuracy over layers: .png, .svg or .pdf.", RESULT)
    ] = None,
) -> None:
    """Choose; the long help is HELP."""
    from promptkit.runs import eval_spec
    from promptkit.runs.choose import Candidates
    from promptkit.runs.extract import layers_of

    check_results(format, output, plot)
    apart = {"models", "layers", "field", "label_map", "reference", "verify", "format", "output"}
    options: dict[str, Any] = {
        key: value for key, value in context.params.items() if key not in {*apart, "plot"}
    }
    options["strategy"] = "features"  # which needs no template
    options["fields"] = pairs(field, "--field", "premise=sentence1")
    options["label_map"] = pairs(label_map, "--label-map", "5=positive")
    asked, places = eval_spec(None, options), layers_of(layers)
    candidates = Candidates(
        tuple(name.strip() for name in models.split(",") if name.strip()),
        layers=None if places is None else tuple(places),
        reference=reference,
        verified=verify,
        limit=limit,
        seed=asked.seed,
        batch_size=asked.batch_size,
        device=asked.device,
        dtype=asked.dtype,
    )
    found = _chosen(asked, candidates)
    _show(found, _next(found, context), format, output, plot)


def check_results(format: str, output: str | None, plot: str | None) -> None:
    """Refuse before the work what could not be written after it.

    Raises:
        SpecError: No such format, folder or suffix.
        MissingExtra: A picture without matplotlib.
    """
    from promptkit.errors import nearest
    from promptkit.report.picture import check_plot

    if format not in SUFFIXES.values():
        raise SpecError(f"--format {format!r}: {nearest(format, tuple(SUFFIXES.values()))}")
    if output and not Path(output).absolute().parent.is_dir():
        raise SpecError(f"--output {output}: no such folder {Path(output).parent}")
    if output and Path(output).suffix not in SUFFIXES:
        raise SpecError(f"--output {output}: the name must end in {', '.join(SUFFIXES)}")
    if plot:
        check_plot(plot)


def _chosen(asked: EvalSpec, candidates: Candidates) -> Choice:
    from promptkit.runs.choose import choose_for

    done = 0

    def on_model(model: str, rows: int, total: int) -> None:
        nonlocal done
        done += rows == total
        watch.name = f"reading with {Path(model).name}"
        watch.on_progress(rows, total)

    with watched("choosing") as watch:
        try:
            return choose_for(asked, candidates, on_model)
        except KeyboardInterrupt as error:
            kept = "are read, and their states kept"
            raise Interrupted(done, len(candidates.models), "models", kept) from error


def _show(found: Choice, command: str, format: str, output: str | None, plot: str | None) -> None:
    """Print the results, and write the files that were asked for."""
    from rich.console import Console

    from promptkit.report.choice import draw_choice, print_choice

    if format == "table":
        print_choice(found, command)
    else:
        sys.stdout.write(_as(found, format, command))
    if output:
        write(output, _as(found, SUFFIXES[Path(output).suffix], command))
    if plot:
        draw_choice(found, plot)
    if format == "table" and (output or plot):
        told = " and ".join(one for one in (output, plot) if one)
        Console(highlight=False).print(f"\nwritten: {told}")


def _as(found: Choice, format: str, command: str) -> str:
    from promptkit.report import choice

    if format == "table":
        from io import StringIO

        from rich.console import Console

        text = StringIO()
        choice.print_choice(found, command, Console(file=text, width=100, highlight=False))
        return text.getvalue()
    if format == "html":
        return choice.choice_html(found, command)
    made = {
        "json": choice.choice_json, "csv": choice.choice_csv, "markdown": choice.choice_markdown,
    }  # fmt: skip
    return made[format](found)


def _next(found: Choice, context: typer.Context) -> str:
    """The command that puts the verdict to use, its options about rows those of this one."""
    from promptkit.report.choice import next_command

    kept = ("data", "split", "text_field", "label_field", "id_field", "labels", "template")
    options: list[str] = []
    for name in kept:
        value = context.params.get(name)
        if value is not None:
            options += [f"--{name.replace('_', '-')}", str(value)]
    for name in ("field", "label_map"):
        for value in context.params.get(name) or ():
            options += [f"--{name.replace('_', '-')}", value]
    return next_command(found, options)
