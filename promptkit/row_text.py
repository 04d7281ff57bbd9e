"""The text by which a row is compared with others, where no template says how it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from unicodedata import normalize

from promptkit.types import Example


def text_of(example: Example) -> str:
    """All that a row says, one item a line, fields in the order of their names.

    The order of the names, not that of the file: one row read from two files with their columns
    swapped is one text. Lists (such as choices) give one line an item; None and "" give none.
    """
    fields = (example.fields[name] for name in sorted(example.fields))
    return "\n".join(text for field in fields for text in items_of(field) if text)


def items_of(value: Any) -> Iterator[str]:
    """The texts that a field's JSON value holds, one after the other."""
    if value is None:
        return
    if isinstance(value, Mapping):
        for name in sorted(value, key=str):
            yield from items_of(value[name])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from items_of(item)
    else:
        yield str(value)


def folded(text: str) -> str:
    """The text without what tells no two texts apart: Unicode form, letter case, white space."""
    # Folding can undo the normal form ("ŉ" becomes two characters), hence twice.
    return " ".join(normalize("NFKC", normalize("NFKC", text).casefold()).split())
