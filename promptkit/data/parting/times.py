"""Rows parted by time: what was written last is what a model is tested on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from promptkit.data.parting.sizes import LEFT_OUT
from promptkit.errors import DataError

Time = float | datetime


def time_of(value: Any, where: str, column: str) -> Time:
    """A number, or a date in ISO form.

    Raises:
        DataError: It is neither.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        if math.isfinite(value):
            return float(value)
    elif isinstance(value, str):
        text = value.strip()
        try:
            number = float(text)
            if math.isfinite(number):
                return number
        except ValueError:
            try:
                return datetime.fromisoformat(text)
            except ValueError:
                pass
    raise DataError(
        f"{where}: {column!r} holds {value!r:.60}; a time is a number or a date such as "
        "2024-05-31 or 2024-05-31T14:00:00Z"
    )


def times_of(values: Sequence[Any], wheres: Sequence[str], column: str) -> list[Time]:
    """The times of all rows, which can be compared with each other.

    Raises:
        DataError: One is no time, or is of another kind than the first.
    """
    found = [time_of(value, where, column) for value, where in zip(values, wheres, strict=True)]
    for time, where in zip(found, wheres, strict=True):
        if _kind(time) != _kind(found[0]):
            raise DataError(
                f"{where}: {column!r} is {_kind(time)} where {wheres[0]} has {_kind(found[0])}; "
                "write all alike"
            )
    return found


def deal_by_time(
    times: Sequence[Any], sizes: Mapping[str, int]
) -> tuple[list[str], dict[str, tuple[Any, Any]]]:
    """The part of each row, and the first and last time of each part.

    Rows of one time are never parted: the border moves to the nearest place where it parts none.

    Args:
        times: (n,) times.
        sizes: Rows that each part should have, in the order of their time.

    Raises:
        DataError: No place for a border is left.
    """
    order = sorted(range(len(times)), key=lambda row: times[row])
    borders = [at for at in range(1, len(order)) if times[order[at]] != times[order[at - 1]]]
    found = [""] * len(times)
    spans: dict[str, tuple[Any, Any]] = {}
    names = list(sizes)
    ends = _ends(list(sizes.values()), borders, len(order), names)
    for name, start, end in zip(names, [0, *ends], [*ends, len(order)], strict=True):
        for at in range(start, end):
            found[order[at]] = name
        if name != LEFT_OUT:
            spans[name] = (times[order[start]], times[order[end - 1]])
    return found, spans


def _ends(sizes: Sequence[int], borders: Sequence[int], n: int, names: Sequence[str]) -> list[int]:
    """Where each part but the last ends, found from the newest part back."""
    ends: list[int] = []
    after = n
    for at in range(len(sizes) - 1, 0, -1):
        wanted = sum(sizes[:at])
        # each part before this one needs a border of its own
        usable = [one for one in borders if one < after][at - 1 :]
        if not usable:
            raise DataError(
                f"rows have {len(borders) + 1} different times, too few for a part "
                f"{names[at]!r} of its own; ask for fewer parts"
            )
        after = min(usable, key=lambda one: (abs(one - wanted), -one))
        ends.append(after)
    return ends[::-1]


def shown(time: Any) -> str:
    """A time as it is told."""
    if not isinstance(time, datetime):
        return f"{time:.15g}"
    return time.isoformat().removesuffix("T00:00:00")


def _kind(time: Time) -> str:
    if not isinstance(time, datetime):
        return "a number"
    return "a date without time zone" if time.tzinfo is None else "a date with a time zone"
