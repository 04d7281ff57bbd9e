"""``promptkit tune``: labelled rows in, a saved model out."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
from promptkit.errors import Interrupted, SpecError

if TYPE_CHECKING:
    from promptkit.runs.tune import Tuned

HELP = """Fit a strategy on all labelled rows, and save it as a folder that predict and eval take.

[bold]Examples[/bold]

  promptkit tune --strategy features --data reviews.csv --output sentiment

  promptkit tune --strategy lora --model ./Qwen3-0.6B --data banking/ --output intents

  promptkit tune --strategy tfidf --data tickets.csv --text-field body --label-field team
  --option c=10 --output tickets

  promptkit tune --strategy instruct --mixture tasks.yaml --model ./Qwen3-0.6B-Base
  --option way=lora --output instructed

A mixture is a file of several tasks, each put in several ways; what comes of it is an ordinary
model folder (or adapter), for --model (or --adapter). Of a data set with several splits, the rows
of train are learned from. A tune that was stopped goes on from its last checkpoint when the same
command is given again.
"""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("tune", help=HELP)(command)


def command(
    context: typer.Context,
    strategy: Annotated[
        str, typer.Option(help="How to adapt, such as features, head, lora, full or tfidf.")
    ],
    output: Annotated[str, typer.Option("--output", "-o", help="The folder to save the model in.")],
    data: Annotated[
        str | None,
        panel("Labelled rows: a file, a folder, an in-box name, or hf:owner/name.", ROWS),
    ] = None,
    template: Annotated[
        str | None, typer.Option("--template", "-t", help="How the task is put, where it matters.")
    ] = None,
    split: Annotated[str | None, panel("Part of the data set (default: train).", ROWS)] = None,
    text_field: TextField = None,
    field: FieldColumns = None,
    label_field: LabelField = None,
    id_field: IdField = None,
    label_map: LabelMap = None,
    labels: Labels = None,
    limit: Limit = None,
    option: Options = None,
    mixture: Annotated[
        str | None, panel("Tasks to learn together: for instruct and preference.", ROWS)
    ] = None,
    without: Annotated[
        list[str] | None, panel("Leave a task of the mixture out; can be repeated.", ROWS)
    ] = None,
    seed: Annotated[int | None, panel("Seed of every random choice.", STRATEGY)] = None,
    model: Annotated[
        str | None, panel("A folder or a hub id (default: minilm, in the box).", MODEL)
    ] = None,
    device: Device = None,
    dtype: Dtype = None,
    force: Annotated[
        bool, panel("Replace a saved model in that folder.", RESULT, "--force")
    ] = False,
) -> None:
    """Tune; the long help is HELP."""
    if mixture is not None:
        _on_mixture(context.params)
        return
    if without:
        raise SpecError("--without leaves tasks of a mixture out; name one with --mixture FILE")
    from promptkit.runs import eval_spec
    from promptkit.runs.tune import tune
    from promptkit.strategies.processes import refuse_several

    refuse_several(f"strategy {strategy!r} on one task")
    apart = {"output", "field", "label_map", "option", "force", "mixture", "without"}
    options: dict[str, Any] = {k: v for k, v in context.params.items() if k not in apart}
    options["fields"] = pairs(field, "--field", "premise=sentence1")
    options["label_map"] = pairs(label_map, "--label-map", "5=positive")
    options["strategy_options"] = option_values(option)
    if not output.strip():
        raise SpecError("--output: name a folder")
    asked = eval_spec(None, options)
    try:
        with watched(strategy) as watch:
            made = tune(asked, output, force=force, on_step=watch.on_step)
    except KeyboardInterrupt as error:
        raise Interrupted(0, 0, "steps", "were done") from error
    _show(made, output)


def _on_mixture(given: dict[str, Any]) -> None:
    """Tune a language model on several tasks at once."""
    from promptkit.cli.mixture import tune_on_mixture

    taken = ("strategy", "output", "mixture", "without", "model", "seed", "device", "force")
    for name, value in given.items():
        if value and name not in (*taken, "option"):
            raise SpecError(
                f"--{name.replace('_', '-')}: a mixture says that of each of its tasks; leave it "
                "out"
            )
    tune_on_mixture(
        options=option_values(given["option"]) or {}, **{name: given[name] for name in taken}
    )


def _show(made: Tuned, output: str) -> None:
    """What was made, and what can be done with it."""
    from rich.console import Console
    from rich.text import Text

    from promptkit.report.figures import duration, rows, size
    from promptkit.report.layout import bullets, heading
    from promptkit.report.layout import pairs as in_pairs
    from promptkit.report.plain import cell, naming, shorten

    name = naming(made.labels)
    lines = [
        ("strategy", made.recipe.name),
        ("rows", f"{rows(made.n)} of {made.data}"),
        ("labels", f"{len(made.labels)}: {shorten(', '.join(map(name, made.labels)), 60)}"),
        ("learned in", duration(made.cost.seconds)),
        ("trained", f"{made.cost.trained_parameters:,} parameters"),
    ]
    score = made.facts.get("held-out accuracy")
    if isinstance(score, float):
        lines.append(("held-out accuracy", f"{score:.3f}, on rows of its own training set"))
    pseudo = made.facts.get("pseudo-labelled rows")
    if pseudo is not None:
        lines.append(("pseudo-labelled", f"{pseudo} (rows in each round)"))
    lines += [("size on disk", size(made.stored_bytes)), ("saved in", str(made.folder))]
    console = Console(highlight=False)
    console.print(in_pairs((key, cell(value)) for key, value in lines))
    if made.notes:
        console.print(heading("notes"), bullets([cell(note) for note in made.notes]))
    folder = shlex.quote(output)
    console.print(Text("\nnext"))
    sys.stdout.write(
        f"promptkit eval --model {folder} --data LABELLED.csv\n"
        f"promptkit predict --model {folder} --data ROWS.csv --output ANSWERS.csv\n"
    )
