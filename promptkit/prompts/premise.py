"""What a template says behind a row's text, without the row: where an answer begins."""

from __future__ import annotations

from dataclasses import replace

from promptkit.errors import SpecError
from promptkit.prompts.template import Template
from promptkit.types import Example, Piece, Prompt, Text, flat


def premise_prompt(template: Template, premise: str | None = None) -> Prompt:
    """A prompt of a few words: no instruction, no demonstrations, no row.

    Args:
        template: How the task is put.
        premise: The words; by default those that the template's query says behind its last field,
            such as "Sentiment:". Of a cloze the sentence stays, without the row's text.

    Raises:
        SpecError: The query ends in a field, so that there are no such words.
    """
    whole = template.prompt(Example("premise", dict.fromkeys(template.task.fields, "x")))
    said = _behind(whole.query) if premise is None else (Piece(premise),)
    if not flat(said).strip():
        raise SpecError(
            f"template {template.name!r} says nothing behind a row's text; say what begins an "
            "answer with --calibration-option premise='The answer is'"
        )
    cloze = tuple(piece for piece in whole.cloze if not piece.row)
    return replace(whole, system=(), instruction=(), query=said, encoded=said, cloze=cloze)


def _behind(query: Text) -> Text:
    """The pieces behind the last one that is a row's, without the white space before them."""
    last = max((place for place, piece in enumerate(query) if piece.row), default=-1)
    text = flat(query[last + 1 :]).lstrip()
    return (Piece(text),) if text else ()
