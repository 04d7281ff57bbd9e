"""Ids of rows. Runs are joined on them, and randomness is seeded by them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from promptkit.data.place import Place
from promptkit.data.values import is_missing, plain
from promptkit.errors import DataError

_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def canonical(value: Any) -> str:
    """The one JSON text of a value, in ASCII and with sorted keys.

    >>> canonical({"b": 1, "a": "é"}) == '{"a":"' + chr(92) + 'u00e9","b":1}'
    True
    """
    return _ENCODER.encode(value)


def content_id(fields: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits of what a row says; its label and position are left out.

    So a row keeps its id when rows are added before it, and a corrected label breaks no join.
    """
    return hashlib.sha256(canonical(fields).encode()).hexdigest()[:12]


class Ids:
    """Gives each row of one table its id: its own where the table has ids, else its content's.

    Content that is repeated gets ``-2``, ``-3`` in the order of the file.

    Args:
        column: The column of ids.
        place: Where the rows stand.
    """

    def __init__(self, column: str, place: Place) -> None:
        self.column = column
        self.place = place
        self._own: bool | None = None
        self._seen: dict[str, int] = {}
        self._times: Counter[str] = Counter()

    def of(self, number: int, row: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
        """The id of one row; rows come in the order of the file.

        Raises:
            DataError: An id that is missing or was given before, or only some rows have one.
        """
        has_id = self.column in row
        if self._own is None:
            self._own = has_id
        if has_id != self._own:
            here, others = ("an", "have none") if has_id else ("no", "have one")
            raise DataError(
                f"{self.place.at(number)}: {here} {self.column!r} while the rows before it "
                f"{others}; give every row one, or none"
            )
        return self._given(number, row[self.column]) if has_id else self._derived(fields)

    def _given(self, number: int, raw: Any) -> str:
        value = plain(raw)
        if is_missing(value) or isinstance(value, list | dict) or not str(value).strip():
            raise DataError(
                f"{self.place.at(number)}: {self.column!r} must be a text or a number, "
                f"got {value!r}; fill it in"
            )
        name = str(value)
        first = self._seen.setdefault(name, number)
        if first != number:
            raise DataError(
                f"{self.place.at(number)}: id {name!r} was already used on "
                f"{self.place.near(first)}; ids must be unique"
            )
        return name

    def _derived(self, fields: Mapping[str, Any]) -> str:
        name = content_id(fields)
        self._times[name] += 1
        times = self._times[name]
        return name if times == 1 else f"{name}-{times}"
