"""Prompts that say a label, behind which a row's text is the answer (Min et al. 2022).

    positive: The room was clean and quiet.
    <blank line>
    negative:| We waited for an hour.

The bar is where the prompt ends; the text behind it is scored once behind each label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from promptkit.errors import CapabilityError
from promptkit.prompts.template import Template
from promptkit.types import Candidate, Example, Piece, Prompt, Shot, Text, flat


def channel_prompts(
    template: Template, example: Example, shots: Sequence[Example] = ()
) -> list[tuple[Prompt, Candidate]]:
    """For each label of the row a prompt that says it, and the row's text as its candidate.

    What is scored of a row is what an encoder reads of it: its fields, or the template's
    ``encoder: text:``. A label is said by its first word, as an answer is. Instructions are left
    out: they ask for a label.

    Raises:
        CapabilityError: The template is a chat, or its rows bring their own choices.
    """
    check_channel(template)
    prompt = template.prompt(example, shots)
    known = {c.label: flat(c.text).strip() for c in reversed(template.candidates(example, "text"))}
    shown = tuple(
        replace(
            shot,
            query=_said(flat(shot.answer).strip()),
            answer=(Piece(" "), Piece(shot.encoded, True)),
        )
        for shot in prompt.shots
    )
    text: Text = (Piece(" "), *prompt.encoded)
    return [
        (_asking(prompt, shown, known[label]), Candidate(label, text))
        for label in template.labels_of(example)
    ]


def check_channel(template: Template) -> None:
    """Fail where rows cannot be scored behind their labels.

    Raises:
        CapabilityError: Says what to do instead.
    """
    if template.choosing:
        raise CapabilityError(
            f"channel scoring needs labels that all rows share, and each row of template "
            f"{template.name!r} brings its own choices; use --calibration none"
        )
    if template.keys.chat:
        raise CapabilityError(
            f"channel scoring continues a label with a row's text, and template "
            f"{template.name!r} is a chat, where a model answers and does not continue; add "
            "--no-chat"
        )


def _asking(prompt: Prompt, shots: tuple[Shot, ...], word: str) -> Prompt:
    return replace(prompt, system=(), instruction=(), shots=shots, query=_said(word), cloze=())


def _said(word: str) -> Text:
    return (Piece(f"{word}:"),)
