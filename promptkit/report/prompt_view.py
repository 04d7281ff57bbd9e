"""A prompt as a reader sees it: its text in colours, then its token ids, piece by piece."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as RichText

from promptkit.backends.label_words import findings
from promptkit.backends.nli_pairs import PairFrame
from promptkit.backends.tokens import Request, Tokens
from promptkit.prompts.flatten import answer_text, flatten
from promptkit.types import Candidate, Piece, Prompt, flat

STYLES = {
    "instruction": "bold cyan",
    "demonstration": "green",
    "query": "yellow",
    "frame": "dim",
    "BOS": "magenta",
    "EOS": "magenta",
    "think block": "blue",
    "prefill": "bold green",
    "label word": "bold red",
}


def prompt_text(prompt: Prompt, tokens: Tokens | None, *, answering: bool = True) -> Any:
    """The prompt's text, each piece in its colour; ``frame`` is chat template and separators.

    Args:
        prompt: The prompt.
        tokens: The model's tokenizer; None where there is none.
        answering: Whether the answer comes next; else the model may think before it.
    """
    if prompt.chat and tokens is None:
        return RichText("a chat prompt: give --model to see it in the model's chat template")
    ground = tokens.flat(prompt, answering=answering) if tokens else flatten(prompt)
    whole = _visible(flat(ground.text))
    text = RichText(whole, style=STYLES["frame"])
    for role, start, end in ground.spans:
        text.stylize(STYLES[role].replace("bold ", "not dim ") if role else "", start, end)
    begun = [role for role, _, _ in ground.spans if role in {"think block", "prefill"}]
    shown = ("instruction", "demonstration", "query", *begun)
    legend = RichText("  ").join(RichText(role, style=STYLES[role]) for role in shown)
    title = f"row {prompt.example_id}, template {prompt.template}"
    if prompt.shots:
        title += f", {len(prompt.shots)} demonstrations"
    return Panel(text, title=_visible(title), subtitle=legend)


def token_view(
    prompt: Prompt, candidates: Sequence[Candidate], tokens: Tokens, request: Request
) -> Any:
    """Token ids of prompt and label words, and what to mind about the words.

    Args:
        prompt: The prompt.
        candidates: Its candidates.
        tokens: The tokenizer.
        request: What the backend would ask of the model.
    """
    words = Table(title="label words", expand=False)
    for column in ("label", "text", "ids", "tokens"):
        words.add_column(column)
    ground = tokens.flat(prompt)
    for candidate, ids in zip(candidates, request.answers, strict=True):
        said = flat(answer_text(ground, candidate.text))
        words.add_row(
            RichText(str(candidate.label)),
            RichText(repr(said), STYLES["label word"]),
            " ".join(map(str, ids)),
            RichText(_visible(" ".join(tokens.words(ids)))),
        )
    warnings = [ground.note] if ground.note else []
    warnings += findings(tokens, request, candidates)
    closing = request.context[sum(len(ids) for _, ids in tokens.pieces(prompt)) :]
    return Group(
        prompt_tokens(prompt, tokens, closing), words, *(_warning(line) for line in warnings)
    )


def prompt_tokens(
    prompt: Prompt, tokens: Tokens, closing: Sequence[int] = (), *, answering: bool = True
) -> Any:
    """The token ids of a prompt, piece by piece; ``closing``: what the tokenizer adds."""
    pieces = [
        *tokens.pieces(prompt, answering=answering),
        *([("EOS", tuple(closing))] if closing else []),
    ]
    table = Table(title=f"{sum(len(ids) for _, ids in pieces)} prompt tokens", expand=False)
    table.add_column("piece", no_wrap=True)
    table.add_column("tokens", justify="right")
    table.add_column("ids")
    for role, ids in pieces:
        table.add_row(RichText(role, STYLES[role]), str(len(ids)), " ".join(map(str, ids)))
    return table


def encoder_view(prompt: Prompt, candidates: Sequence[Candidate], tokens: Tokens) -> Any:
    """What a sentence encoder reads: the row's text, and each label's statements."""
    before, after = tokens.wrapping
    ids = tokens.encode([prompt.encoded])[0].ids
    table = Table(title="what the encoder reads of the row", expand=False)
    for column in ("text", "tokens", "ids"):
        table.add_column(column)
    table.add_row(
        RichText(_visible(flat(prompt.encoded)), STYLES["query"]),
        str(len(ids) + len(before) + len(after)),
        " ".join(map(str, (*before, *ids, *after))),
    )
    told = Table(title="what it is compared with", expand=False)
    told.add_column("label", no_wrap=True)
    told.add_column("statement")
    for candidate in candidates:
        for index, statement in enumerate(candidate.statements):
            told.add_row(
                RichText("" if index else str(candidate.label)), RichText(_visible(statement))
            )
    return Group(table, told, *_for_two_labels(candidates))


def pair_view(prompt: Prompt, candidates: Sequence[Candidate], tokens: Tokens) -> Any:
    """What an entailment model reads: the row's text with each label's statements, one by one."""
    frame = PairFrame(tokens)
    before, between, behind = (" ".join(tokens.words(ids)) for ids in frame.around)
    premise = tokens.encode([prompt.encoded])[0].ids
    table = Table(title=f"pairs: {before} premise {between} hypothesis {behind}", expand=False)
    for column in ("label", "text", "tokens", "ids"):
        table.add_column(column, no_wrap=column == "label")
    table.add_row(
        RichText("premise"),
        RichText(_visible(flat(prompt.encoded)), STYLES["query"]),
        str(len(premise)),
        " ".join(map(str, premise)),
        end_section=True,
    )
    for candidate in candidates:
        told = tokens.encode([(Piece(text, True),) for text in candidate.statements])
        for index, (text, one) in enumerate(zip(candidate.statements, told, strict=True)):
            table.add_row(
                RichText("" if index else str(candidate.label)),
                RichText(_visible(text)),
                str(len(one.ids)),
                " ".join(map(str, one.ids)),
            )
    return Group(table, *_for_two_labels(candidates))


def _for_two_labels(candidates: Sequence[Candidate]) -> list[RichText]:
    """A line for each statement that more than one label is told by."""
    seen: dict[str, object] = {}
    warnings = []
    for candidate in candidates:
        for statement in candidate.statements:
            if statement in seen and seen[statement] != candidate.label:
                warnings.append(f"the statement {statement!r} stands for two labels")
            seen[statement] = candidate.label
    return [_warning(line) for line in warnings]


def _warning(line: str) -> RichText:
    return RichText(f"! {line}", style="bold yellow")


def _visible(text: str) -> str:
    """Control characters as pictures, so that a row cannot steer a terminal. Length is kept."""
    return "".join(
        chr(0x2400 + ord(c)) if ord(c) < 32 and c != "\n" else "\u2421" if c == "\x7f" else
        "\ufffd" if 0x80 <= ord(c) < 0xA0 else c
        for c in text
    )  # fmt: skip
