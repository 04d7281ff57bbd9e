"""What the columns of a file hold, seen from their values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promptkit.data.place import Table
from promptkit.data.values import is_missing, plain
from promptkit.errors import DataError

Row = Mapping[str, Any]

_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*")


@dataclass(frozen=True)
class Profile:
    """One column.

    Args:
        name: Its name.
        n: Rows.
        n_filled: Rows in which it holds something: neither missing nor white space alone.
        n_different: Different values among them.
        mean_chars: Characters of a filled value on average.
        mean_words: Words of it, as white space parts them.
        is_number: Whether all filled values are numbers.
        is_nested: Whether some value is a list or an object.
        has_spaces: Whether some value holds white space.
        example: The first filled value.
    """

    name: str
    n: int
    n_filled: int
    n_different: int
    mean_chars: float
    mean_words: float
    is_number: bool
    is_nested: bool
    has_spaces: bool
    example: Any

    @property
    def share_different(self) -> float:
        """Different values in a filled row; 1 where no value is repeated."""
        return self.n_different / max(1, self.n_filled)

    @property
    def reads_like_text(self) -> bool:
        """Whether people wrote it freely: long, and rarely the same twice.

        Characters decide and not words, since Chinese and Japanese put no spaces between them.
        """
        varied = self.share_different >= 0.5 or self.n_different > 200
        return not self.is_number and not self.is_nested and varied and self.mean_chars >= 12

    @property
    def could_be_labels(self) -> bool:
        """Whether it sorts rows into groups: a few short values, each in two rows on average."""
        few = 2 <= self.n_different <= max(2, self.n_filled / 2)
        return not self.is_nested and few and self.mean_chars <= 80

    @property
    def could_be_ids(self) -> bool:
        """Whether it names each row by a word or a number of its own."""
        each = self.n_filled == self.n == self.n_different
        return each and not self.is_nested and not self.has_spaces


def rows_of(table: Table) -> tuple[list[tuple[int, Row]], tuple[str, ...]]:
    """All rows with their numbers, their values as JSON values, and the names of the columns.

    Raises:
        DataError: No row, a row that cannot be read, or a value that JSON has no word for.
    """
    found: list[tuple[int, Row]] = []
    columns = dict.fromkeys(table.columns or ())
    for number, row in table.rows:
        try:
            found.append((number, {name: plain(value) for name, value in row.items()}))
        except TypeError as error:
            raise DataError(
                f"{table.place.at(number)}: holds {error}; a column is text, a number, or true or "
                "false"
            ) from error
        columns |= dict.fromkeys(row)
    if not found:
        raise DataError(f"{table.place.file}: holds no rows")
    return found, tuple(columns)


def profile(rows: Sequence[Row], name: str) -> Profile:
    """What one column holds."""
    filled = [row[name] for row in rows if name in row and not is_blank(row[name])]
    texts = [str(value) for value in filled]
    nested = any(isinstance(value, list | dict) for value in filled)
    return Profile(
        name=name,
        n=len(rows),
        n_filled=len(filled),
        n_different=len(set(texts)),
        mean_chars=sum(map(len, texts)) / max(1, len(texts)),
        mean_words=sum(len(text.split()) for text in texts) / max(1, len(texts)),
        is_number=bool(filled) and all(map(is_number, filled)),
        is_nested=nested,
        has_spaces=any(len(text.split()) > 1 for text in texts),
        example=filled[0] if filled else None,
    )


def is_blank(value: Any) -> bool:
    """Whether a cell holds nothing: missing, or white space alone."""
    return is_missing(value) or (isinstance(value, str) and not value.strip())


def is_number(value: Any) -> bool:
    """Whether a value is a number, or a text that is one; true and false are none."""
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)
