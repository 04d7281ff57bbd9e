"""``promptkit words``: labelled rows and a language model in, words for the labels out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli.options import (
    MODEL,
    RESULT,
    ROWS,
    ChatArguments,
    Device,
    Dtype,
    FieldColumns,
    IdField,
    LabelField,
    LabelMap,
    Labels,
    Limit,
    TextField,
    chat_arguments,
    pairs,
    panel,
)
from promptkit.errors import SpecError

if TYPE_CHECKING:
    from promptkit.runs.expansion import Expanded
    from promptkit.runs.words import FoundWords

HELP = """Propose a word for each label: those that the model itself finds probable on your rows.

[bold]Examples[/bold]

  promptkit words -t sentiment_zero_shot --model ./Qwen3-0.6B --train-data reviews.csv

  promptkit words -t sentiment_cloze --model ./roberta-base --train-data reviews.csv --top 30

  promptkit words -t sentiment_cloze --model ./roberta-base --expand 8

It prints a [bold]labels:[/bold] block for the template, and how well the words do: on the rows that
they were chosen on, on rows that were held out of the choice, and beside the template's own words.
With --expand no row is read: each label gets further words, those that lie nearest to its own
among the model's embeddings; [bold]--verbalizer refined[/bold] then learns which of them to listen
to. Nothing is changed: paste the block where it is better.
"""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("words", help=HELP)(command)


def command(
    context: typer.Context,
    template: Annotated[
        str, typer.Option("--template", "-t", help="Template name, or a .yaml file.")
    ],
    model: Annotated[
        str, panel("A folder or a hub id of a causal or masked language model.", MODEL)
    ],
    train_data: Annotated[
        str | None,
        panel("Labelled rows to choose on (default: the train split of the template's).", ROWS),
    ] = None,
    split: Annotated[str | None, panel("Part of the data set (default: train).", ROWS)] = None,
    text_field: TextField = None,
    field: FieldColumns = None,
    label_field: LabelField = None,
    id_field: IdField = None,
    label_map: LabelMap = None,
    labels: Labels = None,
    limit: Limit = None,
    top: Annotated[int, panel("Words of each label among which is chosen.", RESULT)] = 30,
    combinations: Annotated[int, panel("Combinations that are tried at most.", RESULT)] = 2000,
    expand: Annotated[
        int | None, panel("Without rows: so many further words for each label.", RESULT)
    ] = None,
    seed: Annotated[int | None, panel("Seed of every random choice.", RESULT)] = None,
    chat: Annotated[
        bool | None, panel("Use the model's chat template, or not.", MODEL, "--chat/--no-chat")
    ] = None,
    chat_template_kwargs: ChatArguments = None,
    batch_size: Annotated[str | None, panel("auto, or sequences of a batch.", MODEL)] = None,
    device: Device = None,
    dtype: Dtype = None,
) -> None:
    """Find words; the long help is HELP."""
    from promptkit.runs import eval_spec
    from promptkit.runs.expansion import expand_words
    from promptkit.runs.words import find_words

    for name, value in (
        ("--top", top), ("--combinations", combinations), ("--expand", expand),
    ):  # fmt: skip
        if value is not None and value < 1:
            raise SpecError(f"{name} {value}: it must be 1 or more")
    apart = {"field", "label_map", "chat_template_kwargs", "train_data", "top", "combinations"}
    apart.add("expand")
    options: dict[str, Any] = {k: v for k, v in context.params.items() if k not in apart}
    options["data"] = train_data
    options["fields"] = pairs(field, "--field", "premise=sentence1")
    options["label_map"] = pairs(label_map, "--label-map", "5=positive")
    options["chat_template_kwargs"] = chat_arguments(chat_template_kwargs)
    if expand is not None:
        if train_data is not None:
            raise SpecError("--expand reads no rows: leave --train-data out, or leave --expand out")
        _show_expanded(expand_words(eval_spec(None, options), expand))
        return
    _show(find_words(eval_spec(None, options), top=top, combinations=combinations))


def _show_expanded(found: Expanded) -> None:
    """Further words, then the block by itself."""
    from rich.console import Console
    from rich.text import Text

    from promptkit.report.found_words import expanded_table
    from promptkit.report.layout import heading

    console = Console(highlight=False)
    console.print(heading("further words, with their cosine"), expanded_table(found))
    console.print(Text("\nfor the template"))
    sys.stdout.write(found.block)


def _show(found: FoundWords) -> None:
    """Words and what they are worth, then the block by itself."""
    from rich.console import Console
    from rich.text import Text

    from promptkit.report.found_words import facts, notes, words_table
    from promptkit.report.layout import bullets, heading
    from promptkit.report.layout import pairs as in_pairs

    console = Console(highlight=False)
    console.print(in_pairs(facts(found)))
    console.print(heading("words"), words_table(found))
    console.print(heading("notes"), bullets(notes(found)))
    console.print(Text("\nfor the template"))
    sys.stdout.write(found.block)
