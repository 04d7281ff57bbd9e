"""Where rows stand: the file and the unit in which its rows are counted, for messages."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

#: A row and its 1-based number: a physical line where the format has lines, else a row.
NumberedRow = tuple[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Place:
    """A file of rows, as messages name it.

    Args:
        file: The path as the user would recognise it, or the hub id.
        unit: ``line`` when numbers are physical lines of the file, else ``row``.
    """

    file: str
    unit: Literal["line", "row"] = "row"

    def at(self, number: int) -> str:
        """The start of a message about one row.

        >>> Place("rows.csv", "line").at(7)
        'rows.csv line 7'
        """
        return f"{self.file} {self.unit} {number}"

    def near(self, number: int) -> str:
        """Another row of the same file, in a message that has named the file."""
        return f"{self.unit} {number}"

    def of(self, number: int) -> tuple[str, str, int]:
        """The file of one row, its unit, and its number there."""
        return self.file, self.unit, number


@dataclass(frozen=True)
class Places(Place):
    """Several files that are read as one; their rows are numbered on from file to file.

    Args:
        file: The pattern that names them.
        unit: As of each file.
        begun: The files begun so far, in order, each with the number before its first.
    """

    begun: list[tuple[int, Place]] = field(default_factory=list, compare=False)

    def at(self, number: int) -> str:
        """The start of a message about one row: its own file and line."""
        start, place = self._begun(number)
        return place.at(number - start)

    def near(self, number: int) -> str:
        """Another row, which may stand in another file."""
        return self.at(number)

    def of(self, number: int) -> tuple[str, str, int]:
        """The file of one row, its unit, and its number there."""
        start, place = self._begun(number)
        return place.file, place.unit, number - start

    def _begun(self, number: int) -> tuple[int, Place]:
        return self.begun[bisect_left(self.begun, number, key=lambda one: one[0]) - 1]


@dataclass(frozen=True)
class Table:
    """Raw rows on their way in; ``rows`` can be walked once.

    Args:
        place: Where they stand.
        rows: The rows with their numbers, read as they are asked for.
        columns: The column names, or None when every row brings its own (JSON).
        label_names: By column, the names that the file itself declares (a ``ClassLabel``).
        other_splits: The other splits of the same source, for messages.
    """

    place: Place
    rows: Iterable[NumberedRow]
    columns: tuple[str, ...] | None = None
    label_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    other_splits: tuple[str, ...] = ()
