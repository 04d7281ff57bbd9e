"""What makes two rows the same text, and the text by which rows are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from unicodedata import normalize

from promptkit.types import Example

# `str.split` takes these two for white space, so that no normalised text can hold them and
# ("a b", "c") never reads as ("a", "b c").
_BETWEEN_ITEMS = "\x1f"
_BETWEEN_FIELDS = "\x1e"


def text_of(example: Example) -> str:
    """All that a row says, one item a line, fields in the order of their names.

    The order of the names, not that of the file: one row read from two files with their columns
    swapped is one text. Lists (such as choices) give one line an item; None and "" give none.
    """
    fields = (example.fields[name] for name in sorted(example.fields))
    return "\n".join(text for field in fields for text in _items(field) if text)


def copy_key(example: Example) -> str:
    """What two rows share when one is a copy of the other, whatever their ids and labels.

    Every field counts, its Unicode form, letter case and white space do not. A field that is
    absent and one that is None or "" are alike.
    """
    parts = []
    for name in sorted(example.fields):
        text = _BETWEEN_ITEMS.join(_folded(item) for item in _items(example.fields[name]))
        if text:
            parts.append(f"{name}{_BETWEEN_ITEMS}{text}")
    return _BETWEEN_FIELDS.join(parts)


def _folded(text: str) -> str:
    # Folding can undo the normal form ("ŉ" becomes two characters), hence twice.
    return " ".join(normalize("NFKC", normalize("NFKC", text).casefold()).split())


def _items(value: Any) -> Iterator[str]:
    if value is None:
        return
    if isinstance(value, Mapping):
        for name in sorted(value, key=str):
            yield from _items(value[name])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _items(item)
    else:
        yield str(value)
