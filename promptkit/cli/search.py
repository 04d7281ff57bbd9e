"""``promptkit search``: labelled rows in, a way of prompting and what it is worth out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from promptkit.cli.eval import write
from promptkit.cli.options import (
    MODEL,
    RESULT,
    ROWS,
    BackendOptions,
    BaseUrl,
    Device,
    Dtype,
    FieldColumns,
    IdField,
    LabelField,
    LabelMap,
    Labels,
    Limit,
    TextField,
    Tokenizer,
    backend_options,
    pairs,
    panel,
)
from promptkit.cli.progress import watched
from promptkit.errors import Interrupted, SpecError

if TYPE_CHECKING:
    from promptkit.runs.search import Search, SearchSpec

HELP = """Choose template, demonstrations, verbalizer and calibration on labelled training rows, and
say how much of the score is the choosing.

[bold]Examples[/bold]

  promptkit search --data train.csv --text-field body

  promptkit search --data train.csv --templates mine.yaml,other.yaml --shots 0,8 --budget-tokens 500k

  promptkit search --data train.csv --model ./Qwen3-0.6B --calibrations none,batch,contextual

  promptkit search --data train.csv --output chosen.yaml

The choice is made again without each outer fold and tried on that fold (nested cross-validation): \
the outer score is what to expect on new rows, and inner minus outer is the search's optimism. Rows \
that you test on must not be among --data. What was asked is kept in .promptkit: the same command \
goes on where it was stopped.
"""  # noqa: E501

SPACE, BUDGET = "What is chosen among", "Budget"
#: Formats by the suffix of ``--output``; .yaml is the eval spec of what was chosen.
SUFFIXES = {
    ".json": "json", ".csv": "csv", ".md": "markdown", ".txt": "table", ".yaml": "yaml",
}  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("search", help=HELP)(command)


def command(
    context: typer.Context,
    spec: Annotated[
        str | None,
        typer.Argument(help="A YAML file with these options as keys.", show_default=False),
    ] = None,
    data: Annotated[
        str | None,
        panel("Labelled training rows: a file, a folder, an in-box name, or hf:owner/name.", ROWS),
    ] = None,
    split: Annotated[str | None, panel("Part of the data set (default: train).", ROWS)] = None,
    text_field: TextField = None,
    field: FieldColumns = None,
    label_field: LabelField = None,
    id_field: IdField = None,
    label_map: LabelMap = None,
    labels: Labels = None,
    limit: Limit = None,
    templates: Annotated[
        str | None,
        panel("Names or files; all (the default) are the in-box ones that fit the rows.", SPACE),
    ] = None,
    shots: Annotated[str | None, panel("Numbers of demonstrations: 0,4,16.", SPACE)] = None,
    selectors: Annotated[
        str | None, panel("Who chooses them (default: balanced,nearest).", SPACE)
    ] = None,
    verbalizers: Annotated[
        str | None, panel("Such as words,words:normalize=tokens.", SPACE)
    ] = None,
    calibrations: Annotated[
        str | None, panel("Such as none,batch,contextual (default: none,batch).", SPACE)
    ] = None,
    folds: Annotated[int | None, panel("Outer folds (default: 4).", BUDGET)] = None,
    budget_tokens: Annotated[
        str | None, panel("Prompt tokens it may take: 500k, 2M (default).", BUDGET)
    ] = None,
    rule: Annotated[
        str | None,
        panel("best, or simplest: of those within a standard error of the best.", BUDGET),
    ] = None,
    seed: Annotated[int | None, panel("Seed of every random choice.", BUDGET)] = None,
    model: Annotated[
        str | None, panel("A folder or a hub id (default: minilm, in the box).", MODEL)
    ] = None,
    adapter: Annotated[str | None, panel("Folder of an adapter for the model.", MODEL)] = None,
    backend: Annotated[
        str | None, panel("auto, hf, embedding, vllm, openai or fake.", MODEL)
    ] = None,
    base_url: BaseUrl = None,
    tokenizer: Tokenizer = None,
    backend_option: BackendOptions = None,
    batch_size: Annotated[str | None, panel("auto, or sequences of a batch.", MODEL)] = None,
    device: Device = None,
    dtype: Dtype = None,
    format: Annotated[str | None, panel("table, json, csv or markdown.", RESULT)] = None,
    output: Annotated[
        str | None,
        panel("Write the results to a file, by its suffix; .yaml is the chosen eval spec.", RESULT),
    ] = None,
    fresh: Annotated[bool | None, panel("Ask anew what is stored.", RESULT, "--fresh")] = None,
) -> None:
    """Search; the long help is HELP."""
    from promptkit.runs.search import search_spec

    apart = {"spec", "field", "label_map", "backend_option"}
    options = {key: value for key, value in context.params.items() if key not in apart}
    options["fields"] = pairs(field, "--field", "premise=sentence1")
    options["label_map"] = pairs(label_map, "--label-map", "5=positive")
    options["backend_options"] = backend_options(backend_option)
    asked = search_spec(spec, options)
    check_output(asked.output)
    _show(asked, _searched(asked))


def check_output(output: str | None) -> None:
    """Refuse before the work what could not be written after it.

    Raises:
        SpecError: No such folder, or a suffix that says nothing.
    """
    if output and not Path(output).absolute().parent.is_dir():
        raise SpecError(f"--output {output}: no such folder {Path(output).parent}")
    if output and Path(output).suffix not in SUFFIXES:
        raise SpecError(f"--output {output}: the name must end in {', '.join(SUFFIXES)}")


def _searched(asked: SearchSpec) -> Search:
    from promptkit.runs.search import search

    done = 0

    def on_tokens(spent: int, budget: int) -> None:
        nonlocal done
        done = spent
        watch.on_tokens(spent, budget)

    with watched("searching") as watch:
        try:
            return search(asked, on_tokens=on_tokens)
        except KeyboardInterrupt as error:
            kept = "are spent, and their answers stored"
            raise Interrupted(done, asked.budget_tokens, "prompt tokens", kept) from error


def _show(asked: SearchSpec, found: Search) -> None:
    """Print the results, and write the file that was asked for."""
    from promptkit.report.search import print_search
    from promptkit.report.search_export import search_as

    if asked.format == "table":
        print_search(found)
    else:
        sys.stdout.write(search_as(found, asked.format))
    if asked.output:
        write(asked.output, search_as(found, SUFFIXES[Path(asked.output).suffix]))
