"""Forms with a place for the answer: what begins a model's turn, and a sentence with a blank."""

from __future__ import annotations

import re

from promptkit.errors import SpecError
from promptkit.prompts.flatten import stripped
from promptkit.prompts.sandbox import SLOT, Form
from promptkit.types import Text


def prefill_form(source: str, where: str, known: set[str], chat: bool) -> Form:
    """What the model's turn of a chat begins with.

    Raises:
        SpecError: The template is no chat, or the prefill ends in white space.
    """
    if source and not chat:
        raise SpecError(
            f"{where}: begins the model's turn of a chat, and this template is none; set "
            "'chat: true' (--chat), or take the prefill out"
        )
    # chat templates take white space off the ends of a turn, and tokens take in the blank
    # before a word: 'Sentiment: ' and 'positive' would not be what demonstrations show
    if source != source.strip():
        raise SpecError(
            f"{where}: begins or ends in white space; begin the answer form with the blank"
        )
    return Form(source, where, known)


def cloze_form(source: str | None, where: str, in_row: set[str]) -> Form | None:
    """A sentence with one mask; None where there is none.

    Raises:
        SpecError: No mask, or several.
    """
    if source is None:
        return None
    form = Form(source, where, {*in_row, "mask"})
    # inside 'if' and 'else' it may stand twice: what a row prints is counted when it is rendered
    printed = len(re.findall(r"\{\{[-+]?\s*mask\s*[-+]?\}\}", source))
    if printed == 0 or (printed > 1 and "{%" not in source):
        raise SpecError(
            f"{where}: must print {{{{ mask }}}} once, as it stands: the word's place; it "
            f"prints it {printed} times"
        )
    return form


def filled(cloze: Text, word: Text) -> Text:
    """A cloze with a word in its slot, the white space around the word left out."""
    return tuple(
        part for piece in cloze for part in (stripped(word) if piece.text == SLOT else (piece,))
    )
