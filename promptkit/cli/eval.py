"""``promptkit eval``: rows and a model in, a table out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.errors import Interrupted, SpecError, StoreError

if TYPE_CHECKING:
    from promptkit.runs import EvalSpec
    from promptkit.runs.runner import OnProgress
    from promptkit.types import RunRecord

HELP = """Evaluate a template with a model on labelled rows, and print scores with intervals.

[bold]Examples[/bold]

  promptkit eval --template sentiment_zero_shot

  promptkit eval -t sentiment_zero_shot --data reviews.csv --text-field body

  promptkit eval -t sentiment_few_shot --shots 8 --selector nearest --seeds 5

  promptkit eval -t intent_zero_shot --data banking/ --model ./Qwen3-0.6B

  promptkit eval customer_reviews.yaml --limit 50

Where the labels of the data have other names, say what they stand for:
--label-field stars --label-map 1=negative,3=neutral,5=positive
"""

ROWS, MODEL, SHOTS, RESULT = "Rows", "Model", "Demonstrations", "Results"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("eval", help=HELP)(command)


def _option(help: str, panel: str, *names: str) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=panel, show_default=False)


def command(
    context: typer.Context,
    spec: Annotated[
        str | None,
        typer.Argument(help="A YAML file with these options as keys.", show_default=False),
    ] = None,
    template: Annotated[
        str | None, typer.Option("--template", "-t", help="Template name, or a .yaml file.")
    ] = None,
    data: Annotated[
        str | None,
        _option(
            "CSV, TSV, JSONL, JSON, Parquet, a folder, an in-box name, or hf:owner/name.", ROWS
        ),
    ] = None,
    split: Annotated[str | None, _option("Part of the data set (default: test).", ROWS)] = None,
    train_data: Annotated[
        str | None, _option("Where demonstrations come from (default: the train split).", ROWS)
    ] = None,
    text_field: Annotated[str | None, _option("The text column.", ROWS)] = None,
    field: Annotated[
        list[str] | None, _option("Template field and its column: premise=sent1.", ROWS)
    ] = None,
    label_field: Annotated[str | None, _option("The column of gold labels.", ROWS)] = None,
    id_field: Annotated[str | None, _option("The column of row ids.", ROWS)] = None,
    label_map: Annotated[
        list[str] | None, _option("A label of the data and the template's: 5=positive.", ROWS)
    ] = None,
    labels: Annotated[str | None, _option("Labels in use: negative,positive.", ROWS)] = None,
    limit: Annotated[int | None, _option("Only the first so many rows.", ROWS)] = None,
    model: Annotated[
        str | None, _option("A folder or a hub id (default: minilm, in the box).", MODEL)
    ] = None,
    backend: Annotated[str | None, _option("auto, hf, embedding or fake.", MODEL)] = None,
    chat: Annotated[
        bool | None, _option("Use the model's chat template, or not.", MODEL, "--chat/--no-chat")
    ] = None,
    batch_size: Annotated[str | None, _option("auto, or sequences of a batch.", MODEL)] = None,
    device: Annotated[str | None, _option("auto, cpu, cuda, cuda:1 or mps.", MODEL)] = None,
    dtype: Annotated[str | None, _option("auto, float32, bfloat16 or float16.", MODEL)] = None,
    shots: Annotated[int | None, _option("Demonstrations of a prompt.", SHOTS)] = None,
    selector: Annotated[
        str | None, _option("none, fixed, random, balanced, nearest or bm25.", SHOTS)
    ] = None,
    seed: Annotated[int | None, _option("Seed of every random choice.", SHOTS)] = None,
    seeds: Annotated[
        int | None, _option("Repeat over so many draws of demonstrations.", SHOTS)
    ] = None,
    format: Annotated[str | None, _option("table, json, csv or markdown.", RESULT)] = None,
    output: Annotated[
        str | None, _option("Write the results to a file, by its suffix.", RESULT)
    ] = None,
    predictions: Annotated[
        str | None, _option("Write each row's prediction to a .csv or .jsonl file.", RESULT)
    ] = None,
    fresh: Annotated[
        bool | None, _option("Compute anew what is stored.", RESULT, "--fresh")
    ] = None,
    dry_run: Annotated[
        bool | None,
        _option("Check everything and go through the rows without a model.", RESULT, "--dry-run"),
    ] = None,
) -> None:
    """Evaluate; the long help is HELP."""
    from promptkit.runs import eval_spec

    options = {k: v for k, v in context.params.items() if k not in {"spec", "field", "label_map"}}
    options["fields"] = pairs(field, "--field", "premise=sentence1")
    options["label_map"] = pairs(label_map, "--label-map", "5=positive")
    asked = eval_spec(spec, options)
    check_outputs(asked)
    try:
        records = evaluate(asked)
    except KeyboardInterrupt as error:
        raise Interrupted(0, 0) from error
    show(asked, records)


def pairs(given: list[str] | None, option: str, example: str) -> dict[str, str] | None:
    """``a=b`` options as a dictionary; None when there are none.

    Raises:
        SpecError: No ``=`` in one.
    """
    if not given:
        return None
    found = {}
    for part in given:
        for one in part.split(","):
            key, equals, value = one.partition("=")
            if not equals or not key.strip():
                raise SpecError(f"{option} {part!r}: write it as {option} {example}")
            found[key.strip()] = value.strip()
    return found


def check_outputs(asked: EvalSpec) -> None:
    """Refuse before the work what could not be written after it."""
    for option, path in (("--output", asked.output), ("--predictions", asked.predictions)):
        if path and not Path(path).absolute().parent.is_dir():
            raise SpecError(f"{option} {path}: no such folder {Path(path).parent}")
    if asked.predictions and Path(asked.predictions).suffix not in {".csv", ".jsonl"}:
        raise SpecError(f"--predictions {asked.predictions}: the name must end in .csv or .jsonl")
    if asked.predictions and asked.seeds > 1:
        raise SpecError("--predictions is for one draw; leave out --seeds")


def evaluate(asked: EvalSpec) -> list[RunRecord]:
    """A record for each draw of demonstrations."""
    from promptkit.runs import Store, build, run

    store = None if asked.dry_run else Store()
    records: list[RunRecord] = []
    for draw in range(asked.seeds):
        trial = build(asked.model_copy(update={"seed": asked.seed + draw}))
        if draw and not trial.spec.strategy["shots"]:
            note("--seeds: zero-shot prompts draw nothing, so one run says it all")
            break
        name = trial.template.name + (
            f", draw {draw + 1} of {asked.seeds}" if asked.seeds > 1 else ""
        )
        with progress(name) as on_progress:
            records.append(run(trial, store, fresh=asked.fresh, on_progress=on_progress))
    return records


@contextmanager
def progress(name: str) -> Iterator[OnProgress]:
    """A bar on standard error that says how many rows are done; nothing where no one looks."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done, total: None
        return
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"{name}: loading", total=None)

        def update(done: int, total: int) -> None:
            bar.update(task, description=name, completed=done, total=total)

        yield update


def show(asked: EvalSpec, records: list[RunRecord]) -> None:
    """Print the results, and write the files that were asked for."""
    from promptkit.report import as_format, predictions_as, print_tables

    if asked.format == "table":
        print_tables(records)
    else:
        sys.stdout.write(as_format(records, asked.format))
    if asked.output:
        suffixes = {".json": "json", ".csv": "csv", ".md": "markdown"}
        chosen = suffixes.get(Path(asked.output).suffix, asked.format)
        write(asked.output, as_format(records, chosen))
    if asked.predictions:
        write(asked.predictions, predictions_as(records[0], Path(asked.predictions).suffix))


def write(path: str, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        StoreError: It cannot be written; the run itself is stored.
    """
    target = Path(path)
    beside = target.with_name(f".{target.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StoreError(
            f"{path}: cannot be written ({error.strerror}); the run is stored: mend it and run "
            "the same command again"
        ) from error


def note(message: str) -> None:
    """A line to standard error."""
    sys.stderr.write(f"promptkit: {message}\n")
