"""Values out of files and data frames, turned into JSON values."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_AS_TEXT = (datetime.date, datetime.time, datetime.timedelta, Decimal)


def is_missing(value: Any) -> bool:
    """Whether a value stands for none: None, NaN, and pandas' NaT and NA.

    The empty string is text, and no guess is made about ``"NA"`` or ``"null"``.
    """
    if value is None:
        return True
    if isinstance(value, str | int | list | dict):
        return False
    # NaN and NaT differ from themselves; pandas.NA refuses to say, so it is known by its type.
    if type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, float) and value != value


def plain(value: Any) -> Any:
    """A JSON value for what a reader gave.

    numpy's scalars become Python's, tuples and arrays lists, dates and decimals text, and what
    stands for a missing value None.

    Raises:
        TypeError: Bytes, or anything else that JSON has no word for.
    """
    if isinstance(value, str):
        return str.__str__(value)  # numpy's own kind of str becomes a plain one
    if isinstance(value, bool | int):
        return value
    if is_missing(value):
        return None
    if isinstance(value, float):
        return float(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, _AS_TEXT):
        return str(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    raise TypeError(f"a {type(value).__name__}")


def is_whole_text(text: str) -> bool:
    r"""Whether a text can be written as UTF-8.

    JSON may hold half of a surrogate pair ("\\ud83d" for one half of an emoji); no tokenizer takes
    it.
    """
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
