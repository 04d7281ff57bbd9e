"""How labels and choices are called in words."""

from __future__ import annotations

import re

from promptkit.types import Scalar


def plain_words(label: Scalar) -> str:
    """A label's name in plain words: ``card_payment_fee_charged`` -> ``card payment fee charged``.

    CamelCase is taken apart and lower-cased as well; anything else keeps its case.
    """
    name = str(label)
    if re.fullmatch(r"(?:[A-Z]+[a-z0-9]+){2,}", name):
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()
    if "_" in name or "-" in name:
        name = re.sub(r"[_\-]+", " ", name)
    return " ".join(name.split()).rstrip("?").strip() or str(label)


def says(name: str) -> bool:
    """Whether a name has a letter: of 0 nothing can be said by name."""
    return any(character.isalpha() for character in name)


def letter(index: int) -> str:
    """What a choice is called: A to Z, then its number."""
    return chr(ord("A") + index) if index < 26 else str(index)
