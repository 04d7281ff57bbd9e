"""CSV and TSV, read strictly: every value is text, and nothing is guessed.

``NA``, ``null`` and the empty string stay what they are; ``1`` stays ``"1"`` (a label is matched to
the task's labels elsewhere). A reader that guesses turns the review "NA" into a missing value and
the country code "NO" into a boolean, and says nothing.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from promptkit.data.packed import LINE_LIMIT, is_packed
from promptkit.data.place import NumberedRow, Place, Table
from promptkit.data.text import text_lines
from promptkit.errors import DataError

if TYPE_CHECKING:
    from _csv import Reader

T = TypeVar("T")

#: The default of 128 KiB is less than one long document. 2**31 - 1 fits a C long everywhere.
_FIELD_LIMIT = 2**31 - 1
_NAMES = {",": "comma", "\t": "tab", ";": "semicolon"}


def read_delimited(path: Path, file: str, *, delimiter: str) -> Table:
    """Read a file whose first line names its columns.

    Args:
        path: The file, ``.gz``, ``.zst`` or plain.
        file: How messages name it.
        delimiter: What stands between two fields.

    Raises:
        DataError: No header, a header with a blank or repeated name or another delimiter; while
            the rows are walked, a row with more or fewer fields than the header, a quote that is
            never closed, a NUL byte, text that is not UTF-8.
    """
    place = Place(file, "line")
    lines: Iterable[str] = text_lines(path, place, newline="")
    if is_packed(path):
        lines = _Bounded(lines, place)
    return delimited_table(lines, place, delimiter=delimiter)


def delimited_table(lines: Iterable[str], place: Place, *, delimiter: str) -> Table:
    """The same from lines, line ends kept, wherever they come from."""
    csv.field_size_limit(max(csv.field_size_limit(), _FIELD_LIMIT))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    records = _records(reader, place)
    if isinstance(lines, _Bounded):
        records = lines.measured(records)
    number, header = next(records, (0, []))
    if not header:
        raise DataError(f"{place.file}: is empty; its first line must name the columns")
    _check_header(header, place.at(number), delimiter)
    return Table(place, _rows(records, header, place, delimiter), columns=tuple(header))


class _Bounded:
    """Lines of a compressed file, of which no record takes more than memory can hold.

    One quote that is never closed makes one record of all the gigabytes after it.
    """

    def __init__(self, lines: Iterable[str], place: Place) -> None:
        self._lines, self._place, self._size = lines, place, 0

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(self._lines, start=1):
            self._size += len(line)
            if self._size > LINE_LIMIT:
                raise DataError(
                    f"{self._place.at(number)}: one row has more than {LINE_LIMIT // 2**20} Mi "
                    'characters by now; is a quote (") opened before and never closed?'
                )
            yield line

    def measured(self, records: Iterator[T]) -> Iterator[T]:
        """The records, counted from nothing after each."""
        for record in records:
            self._size = 0
            yield record


def _records(reader: Reader, place: Place) -> Iterator[tuple[int, list[str]]]:
    """Each record with the physical line on which it starts; blank lines are skipped."""
    while True:
        # line_num is the last line read so far, and a quoted field may span several.
        start = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(f"{place.at(start)}: {_quoting(error)}") from error
        if record:
            yield start, record


def _rows(
    records: Iterator[tuple[int, list[str]]], header: list[str], place: Place, delimiter: str
) -> Iterator[NumberedRow]:
    width = len(header)
    for number, record in records:
        if len(record) != width:
            more = (
                f"quote a field that holds a {_NAMES[delimiter]}"
                if len(record) > width
                else "fill in what is missing"
            )
            raise DataError(
                f"{place.at(number)}: {_columns(len(record))} where the header has {width}; {more}"
            )
        yield number, dict(zip(header, record, strict=True))


def _check_header(header: list[str], where: str, delimiter: str) -> None:
    if len(header) == 1:
        for other in (",", "\t", ";"):
            if other != delimiter and other in header[0]:
                raise DataError(
                    f"{where}: the header holds no {_NAMES[delimiter]} but a {_NAMES[other]} "
                    f"({header[0]!r}); save it with {_NAMES[delimiter]}s{_ending(other)}"
                )
    for position, name in enumerate(header, start=1):
        if not name.strip():
            # What pandas writes for its index unless told not to.
            raise DataError(
                f"{where}: column {position} has no name; name it or remove it "
                "(pandas: to_csv(..., index=False))"
            )
    name, times = Counter(header).most_common(1)[0]
    if times > 1:
        raise DataError(f"{where}: {times} columns are named {name!r}; rename all but one")


def _ending(delimiter: str) -> str:
    right = {",": ".csv", "\t": ".tsv"}.get(delimiter)
    return f", or name the file {right}" if right else ""


def _quoting(error: csv.Error) -> str:
    if "unexpected end of data" in str(error):
        return 'a quote (") opens a field here and is never closed; close it, or write "" for one'
    if "expected after" in str(error):
        return 'text after a closing quote ("); inside a quoted field a quote is written ""'
    return f"cannot be read as a table ({error})"


def _columns(n: int) -> str:
    return "1 column" if n == 1 else f"{n} columns"
