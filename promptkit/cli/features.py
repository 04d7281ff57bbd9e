"""``promptkit features``: rows and a model in, its hidden states out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli.options import (
    MODEL,
    RESULT,
    ROWS,
    Device,
    Dtype,
    FieldColumns,
    IdField,
    Limit,
    TextField,
    pairs,
    panel,
)
from promptkit.cli.progress import watched
from promptkit.errors import Interrupted

if TYPE_CHECKING:
    from promptkit.runs.extract import Extracted

HELP = """Write what the layers of a frozen model make of each row, as a safetensors file.

[bold]Examples[/bold]

  promptkit features --data reviews.csv --output reviews.safetensors

  promptkit features --data banking/ --split train --layers all --pooling mean,cls
  --output banking.safetensors

  promptkit features --data pairs.csv --field premise=s1 --field hypothesis=s2
  --model ./Qwen3-0.6B --layers -1 --pooling last --output pairs.safetensors

  promptkit features --data reviews.csv --template sentiment_zero_shot --model ./Qwen3-0.6B
  --pooling last --output prompts.safetensors

The file holds a tensor (rows, layers, width) for each pooling, and in its metadata ids, labels and
layers as JSON. Layer 0 is the embedding. Labels are not needed. What was computed is kept, so that
a command that was stopped goes on when it is given again, and strategy features need not read the
same rows again.
"""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("features", help=HELP)(command)


def command(
    context: typer.Context,
    data: Annotated[
        str, typer.Option(help="A file, a folder, an in-box name, or hf:owner/name: the rows.")
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="The file to write; ends in .safetensors.")
    ],
    split: Annotated[str | None, panel("Part of the data set (default: test).", ROWS)] = None,
    text_field: TextField = None,
    field: FieldColumns = None,
    label_field: Annotated[str | None, panel("The column of labels, if any.", ROWS)] = None,
    id_field: IdField = None,
    template: Annotated[
        str | None, panel("Read each row as this template's prompt, not by itself.", ROWS)
    ] = None,
    labels: Annotated[
        str | None, panel("The labels that a template with open ones speaks of: a,b,c.", ROWS)
    ] = None,
    limit: Limit = None,
    model: Annotated[
        str | None, panel("A folder or a hub id (default: minilm, in the box).", MODEL)
    ] = None,
    layers: Annotated[
        str, panel("all (default), -1 (the last), or several: 0,3,6.", RESULT)
    ] = "all",
    pooling: Annotated[
        str, panel("mean (default), cls, last or max; several with commas.", RESULT)
    ] = "mean",
    batch_size: Annotated[str | None, panel("auto, or texts of a batch.", MODEL)] = None,
    device: Device = None,
    dtype: Dtype = None,
) -> None:
    """Extract; the long help is HELP."""
    from promptkit.runs import eval_spec
    from promptkit.runs.extract import check_output, extract, layers_of, rows_to_read

    target, wanted = check_output(output), layers_of(layers)
    apart = {"output", "field", "layers", "pooling"}
    options: dict[str, Any] = {k: v for k, v in context.params.items() if k not in apart}
    options["strategy"] = "features"  # which needs no template
    options["fields"] = pairs(field, "--field", "premise=sentence1")
    asked = eval_spec(None, options)
    rows, reading = rows_to_read(asked)

    from promptkit.backends.feature_cache import features_home
    from promptkit.backends.hidden import HiddenStates, check_poolings

    names = [name.strip() for name in pooling.split(",")]
    check_poolings(names)
    states = HiddenStates(
        asked.model, asked.batch_size, asked.device, asked.dtype, cache=features_home()
    )
    try:
        with watched("features") as watch:
            made = extract(
                rows, reading, states, target, layers=wanted, pooling=names,
                on_rows=watch.on_progress,
            )  # fmt: skip
    except KeyboardInterrupt as error:
        raise Interrupted(states.cost.rows, len(rows)) from error
    _show(made, rows.origin)


def _show(made: Extracted, origin: str) -> None:
    from rich.console import Console

    from promptkit.report.figures import rows, size
    from promptkit.report.layout import pairs as in_pairs
    from promptkit.report.plain import cell, shorten

    n, n_layers, width = made.shape
    lines = [
        ("rows", f"{rows(n)} of {origin}"),
        ("layers", f"{n_layers}: {shorten(', '.join(map(str, made.layers)), 60)}"),
        ("tensors", ", ".join(f"{name} ({n}, {n_layers}, {width})" for name in made.pooling)),
    ]
    if made.unlabelled:
        lines.append(("without a label", rows(made.unlabelled)))
    if made.cut:
        lines.append(("cut", f"{rows(made.cut)} too long to be read whole"))
    lines.append(("saved in", f"{made.file} ({size(made.file.stat().st_size)})"))
    Console(highlight=False).print(in_pairs((key, cell(value)) for key, value in lines))
