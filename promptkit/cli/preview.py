"""``promptkit preview``: what a model would read about one row, before anything is computed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli.options import (
    MODEL,
    ROWS,
    SHOTS,
    STRATEGY,
    ChatArguments,
    chat_arguments,
    pairs,
    panel,
)
from promptkit.errors import CapabilityError, DataError

if TYPE_CHECKING:
    from promptkit.runs import EvalSpec
    from promptkit.types import Example, Prompt

HELP = """Show the prompt of one row as text and as token ids; loads a tokenizer, no weights.

[bold]Examples[/bold]

  promptkit preview --template sentiment_zero_shot

  promptkit preview --template sentiment_few_shot --shots 4 --model ./Llama-3.2-1B --row 3
"""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("preview", help=HELP)(command)


def command(
    context: typer.Context,
    spec: Annotated[
        str | None, typer.Argument(help="A YAML file of an evaluation.", show_default=False)
    ] = None,
    template: Annotated[
        str | None, typer.Option("--template", "-t", help="Template name, or a .yaml file.")
    ] = None,
    row: Annotated[str, typer.Option(help="Id of the row, or its number from 1.")] = "1",
    data: Annotated[str | None, panel("As for eval.", ROWS)] = None,
    split: Annotated[str | None, panel("As for eval.", ROWS)] = None,
    train_data: Annotated[str | None, panel("As for eval.", ROWS)] = None,
    text_field: Annotated[str | None, panel("As for eval.", ROWS)] = None,
    field: Annotated[list[str] | None, panel("As for eval.", ROWS)] = None,
    label_field: Annotated[str | None, panel("As for eval.", ROWS)] = None,
    id_field: Annotated[str | None, panel("As for eval.", ROWS)] = None,
    label_map: Annotated[list[str] | None, panel("As for eval.", ROWS)] = None,
    labels: Annotated[str | None, panel("As for eval.", ROWS)] = None,
    model: Annotated[str | None, panel("As for eval.", MODEL)] = None,
    backend: Annotated[str | None, panel("As for eval.", MODEL)] = None,
    chat: Annotated[bool | None, panel("As for eval.", MODEL, "--chat/--no-chat")] = None,
    chat_template_kwargs: ChatArguments = None,
    strategy: Annotated[
        str | None, panel("in_context, or generate: before a free answer.", STRATEGY)
    ] = None,
    shots: Annotated[int | None, panel("As for eval.", SHOTS)] = None,
    selector: Annotated[str | None, panel("As for eval.", SHOTS)] = None,
    order: Annotated[str | None, panel("As for eval.", SHOTS)] = None,
    seed: Annotated[int | None, panel("As for eval.", SHOTS)] = None,
) -> None:
    """Preview; the long help is HELP."""
    from promptkit.prompts.parts_asked import first_part
    from promptkit.runs import eval_spec
    from promptkit.runs.adapt import suited
    from promptkit.runs.build import demonstrations
    from promptkit.runs.rows import rows_for

    apart = {"spec", "field", "label_map", "row", "chat_template_kwargs"}
    options = {key: value for key, value in context.params.items() if key not in apart}
    options["fields"] = pairs(field, "--field", "premise=sentence1")
    options["chat_template_kwargs"] = chat_arguments(chat_template_kwargs)
    options["label_map"] = pairs(label_map, "--label-map", "5=positive")
    asked = eval_spec(spec, options)
    settled, rows, train, _ = rows_for(asked)
    example, pool = _row(rows.examples, row), train.examples if train else ()
    settled, example, asked_too, told = first_part(settled, example, pool)
    if train is not None:
        train = replace(train, examples=tuple(asked_too), numbers=())
    if told:
        typer.echo(f"each row is {told}\n")
    prompt = settled.prompt(example, demonstrations(asked, settled, train, example))
    _show(suited(asked, settled), prompt, lambda reads: settled.candidates(example, reads))


def _row(rows: tuple[Example, ...], wanted: str) -> Example:
    for example in rows:
        if example.id == wanted:
            return example
    if wanted.isdecimal() and 1 <= int(wanted) <= len(rows):
        return rows[int(wanted) - 1]
    raise DataError(f"--row {wanted}: no such id, and not a number from 1 to {len(rows)}")


def _show(asked: EvalSpec, prompt: Prompt, candidates: Any) -> None:
    from rich.console import Console

    from promptkit.backends.auto import backend_for
    from promptkit.backends.weights import locate
    from promptkit.report.prompt_view import (
        encoder_view,
        pair_view,
        prompt_text,
        prompt_tokens,
        token_view,
    )

    console = Console(highlight=False)
    if asked.backend == "fake":
        console.print(prompt_text(prompt, None))
        return
    located = locate(asked.model)
    name = asked.backend
    if name == "auto":
        told = asked.backend_options.get("entailment_label")
        name = backend_for(located, bool(prompt.cloze), told)
    from promptkit.backends.hf import load_tokenizer
    from promptkit.backends.hf_masked import masked_text
    from promptkit.backends.hf_seq2seq import decoder_word, encoder_requests
    from promptkit.backends.nli_hypotheses import with_hypothesis
    from promptkit.backends.tokens import Tokens

    tokens = Tokens(load_tokenizer(located.path), asked.chat_template_kwargs)
    if name == "embedding":
        console.print(prompt_text(prompt, None))
        console.print(encoder_view(prompt, candidates("statements"), tokens))
    elif name == "nli":
        form = asked.backend_options.get("hypothesis")
        console.print(pair_view(prompt, with_hypothesis(candidates("statements"), form), tokens))
    elif name == "hf" and located.kind() == "masked":
        prompt = masked_text(prompt, tokens)
        console.print(prompt_text(prompt, tokens))
        console.print(prompt_tokens(prompt, tokens, tokens.wrapping[1]))
    elif name in {"hf", "vllm"} and asked.strategy == "generate":
        closing = tokens.wrapping[1] if located.kind() == "seq2seq" else ()
        console.print(prompt_text(prompt, tokens, answering=False))
        console.print(prompt_tokens(prompt, tokens, closing, answering=False))
    elif name in {"hf", "vllm"}:
        own = candidates("text")
        if located.kind() == "seq2seq":
            own = [replace(one, text=decoder_word(one)) for one in own]
            request = encoder_requests(tokens, [prompt], [own])[0]
        else:
            request = tokens.request(prompt, own)
        console.print(prompt_text(prompt, tokens))
        console.print(token_view(prompt, own, tokens, request))
    else:
        raise CapabilityError(
            f"preview shows backends hf, vllm, embedding, nli and fake; got {name!r}"
        )
