"""What makes two rows the same text."""

from __future__ import annotations

from promptkit.row_text import folded, items_of, text_of
from promptkit.types import Example

__all__ = ["copy_key", "text_of"]

# `str.split` takes these two for white space, so that no normalised text can hold them and
# ("a b", "c") never reads as ("a", "b c").
_BETWEEN_ITEMS = "\x1f"
_BETWEEN_FIELDS = "\x1e"


def copy_key(example: Example) -> str:
    """What two rows share when one is a copy of the other, whatever their ids and labels.

    Every field counts, its Unicode form, letter case and white space do not. A field that is
    absent and one that is None or "" are alike.
    """
    parts = []
    for name in sorted(example.fields):
        text = _BETWEEN_ITEMS.join(folded(item) for item in items_of(example.fields[name]))
        if text:
            parts.append(f"{name}{_BETWEEN_ITEMS}{text}")
    return _BETWEEN_FIELDS.join(parts)
