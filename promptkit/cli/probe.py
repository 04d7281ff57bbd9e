"""``promptkit probe``: a model and things to know in, what each of its layers knows out."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli.choose import SUFFIXES, check_results
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
    from promptkit.runs.probe import Probed, ProbeOptions, ProbingTask

HELP = """See what each layer of a model encodes: parts of speech, relations, roles, your own labels.

[bold]Examples[/bold]

  promptkit probe --task pos --task dep

  promptkit probe --model ./Qwen3-0.6B --task en_ewt.conllu --column deprel --plot layers.png

  promptkit probe --task pos --task ner.bio --data reviews.csv --output layers.html

A [bold]--task[/bold] is a set in the box (pos, dep), a file, or a folder with train and test files:
JSONL of tokens and labelled spans, CoNLL-U (--column upos, xpos or deprel), columns of words and
tags, or JSONL of minimal pairs (sentence_good, sentence_bad). [bold]--data[/bold] adds your own labelled
rows, probed in the same way, so that the choice of a layer is explained. A control task with labels
drawn by word says how much a probe could learn by heart.
"""  # noqa: E501

TASKS = "What is asked"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("probe", help=HELP)(command)


def command(
    context: typer.Context,
    task: Annotated[
        list[str] | None, panel("pos, dep, a file or a folder; several times.", TASKS, "--task")
    ] = None,
    column: Annotated[str, panel("Of CoNLL-U: upos, xpos or deprel.", TASKS)] = "upos",
    data: Annotated[
        str | None, panel("Your labelled rows: a file, a folder, an in-box name.", ROWS)
    ] = None,
    split: Annotated[str | None, panel("Part of the data set (default: train).", ROWS)] = None,
    text_field: TextField = None,
    field: FieldColumns = None,
    label_field: LabelField = None,
    id_field: IdField = None,
    label_map: LabelMap = None,
    labels: Labels = None,
    limit: Annotated[
        int, panel("Sentences that are fitted on at most, and tried at most.", TASKS)
    ] = 1000,
    probe: Annotated[str, panel("linear, or mlp with a hidden layer.", TASKS)] = "linear",
    control: Annotated[
        bool, panel("Learn control tasks too.", TASKS, "--control/--no-control")
    ] = True,
    model: Annotated[
        str | None, panel("A folder or a hub id (default: minilm, in the box).", MODEL)
    ] = None,
    seed: Annotated[int | None, panel("Seed of every random choice.", RESULT)] = None,
    device: Device = None,
    dtype: Dtype = None,
    format: Annotated[str, panel("table, json, csv, markdown or html.", RESULT)] = "table",
    output: Annotated[
        str | None, panel("Write a file too, by its suffix: .json, .csv, .md, .html.", RESULT)
    ] = None,
    plot: Annotated[str | None, panel("Draw the heat map: .png, .svg or .pdf.", RESULT)] = None,
) -> None:
    """Probe; the long help is HELP."""
    from promptkit.runs import eval_spec
    from promptkit.runs.probe import ProbeOptions, own_task, read_task

    check_results(format, output, plot)
    if not task and data is None:
        raise SpecError("nothing to probe for; give --task pos, a file, or --data with your rows")
    kept = ("data", "split", "text_field", "label_field", "id_field", "labels", "model", "seed",
            "device", "dtype")  # fmt: skip
    options: dict[str, Any] = {name: context.params[name] for name in kept}
    options["strategy"] = "features"  # which needs no template
    options["fields"] = pairs(field, "--field", "premise=sentence1")
    options["label_map"] = pairs(label_map, "--label-map", "5=positive")
    asked = eval_spec(None, options)
    wanted = ProbeOptions(probe, limit, control, asked.seed, device=asked.device, dtype=asked.dtype)
    tasks = [read_task(one, column, asked.seed) for one in task or ()]
    if data is not None:
        tasks.append(own_task(asked))
    _show(_probed(asked.model, tasks, wanted), format, output, plot)


def _probed(model: str, tasks: list[ProbingTask], options: ProbeOptions) -> Probed:
    from promptkit.runs.probe import probe

    done: set[str] = set()

    def on_part(what: str, part: int, of: int) -> None:
        task, _, step = what.partition(": ")
        done.add(task)
        watch.name = task if step != "reading" else f"{task}, reading"
        if step == "reading":
            watch.on_progress(part, of)
        else:
            watch.on_run(part, of, step)

    with watched("probing") as watch:
        try:
            return probe(model, tasks, options, on_part)
        except KeyboardInterrupt as error:
            finished = max(len(done) - 1, 0)
            raise Interrupted(finished, len(tasks), "tasks", "were probed") from error


def _show(found: Probed, format: str, output: str | None, plot: str | None) -> None:
    """Print the results, and write the files that were asked for."""
    from rich.console import Console

    from promptkit.report.probed import draw_probed, print_probed

    if format == "table":
        print_probed(found)
    else:
        sys.stdout.write(_as(found, format))
    if output:
        write(output, _as(found, SUFFIXES[Path(output).suffix]))
    if plot:
        draw_probed(found, plot)
    if format == "table" and (output or plot):
        told = " and ".join(one for one in (output, plot) if one)
        Console(highlight=False).print(f"\nwritten: {told}")


def _as(found: Probed, format: str) -> str:
    from rich.console import Console

    from promptkit.report import probed

    if format == "table":
        text = StringIO()
        probed.print_probed(found, Console(file=text, width=100, highlight=False))
        return text.getvalue()
    made = {
        "json": probed.probed_json, "csv": probed.probed_csv, "html": probed.probed_html,
        "markdown": probed.probed_markdown,
    }  # fmt: skip
    return made[format](found)
