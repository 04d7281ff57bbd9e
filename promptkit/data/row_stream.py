"""Rows of a file of any size, batch by batch, with all their columns; or from standard input."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from promptkit.data.delimited import delimited_table
from promptkit.data.json_rows import parsed_lines
from promptkit.data.patterns import is_pattern, matched_files, read_files
from promptkit.data.place import NumberedRow, Place, Places, Table
from promptkit.data.readers import can_read, read_file, stem_and_ending
from promptkit.errors import DataError

STDIN = "-"


@dataclass(frozen=True)
class RowBatch:
    """Some rows in the order of the file.

    Args:
        rows: As the file has them, all columns.
        numbers: Each row's line or row number, for messages.
        arrow: The same rows as a record batch, if the file has them so.
    """

    rows: tuple[Mapping[str, Any], ...]
    numbers: tuple[int, ...]
    arrow: Any = None

    def __len__(self) -> int:
        return len(self.rows)

    def after(self, n: int) -> RowBatch:
        """The batch without its first n rows."""
        arrow = None if self.arrow is None else self.arrow.slice(n)
        return RowBatch(self.rows[n:], self.numbers[n:], arrow)


@dataclass(frozen=True)
class RowStream:
    """Rows that can be walked once.

    Args:
        place: Where they stand.
        ending: The format, such as ``.csv``.
        columns: The column names, or None when every row brings its own.
        batches: The rows.
        total: How many there are; None where only reading all would tell.
    """

    place: Place
    ending: str
    columns: tuple[str, ...] | None
    batches: Iterator[RowBatch]
    total: int | None = None


def row_stream(source: str, size: int) -> RowStream:
    """Open a file, several by a pattern, a set on the Hub, or standard input for ``-``.

    Args:
        source: CSV, TSV, JSON lines, JSON or Parquet, by its ending; ``parts/*.csv`` for all that
            are called so, in the order of their names; ``hf:owner/name[:config][:split]``, whose
            rows come as they are walked; standard input is JSON lines where it begins with a
            brace, else CSV.
        size: Rows of a batch, at most.

    Raises:
        DataError: Missing, of a format that is not read, or not what its name says; while rows are
            walked, the first bad one.
    """
    if source == STDIN:
        ending, table = _standard_input()
    elif source.startswith("hf:"):
        ending, table = ".parquet", _streamed(source)
    elif is_pattern(source):
        paths = matched_files(source)
        endings = {stem_and_ending(path)[1] for path in paths}
        if endings == {".parquet"}:
            return _parquets(source, paths, size)
        # of several formats, the one in which each row may have columns of its own
        ending = endings.pop() if len(endings) == 1 else ".jsonl"
        table = read_files(source, paths)
    else:
        path = Path(source).expanduser()
        ending = stem_and_ending(path)[1]
        if path.is_dir():
            raise DataError(f"{source}: is a folder; name one file of rows, or {source}/*.csv")
        if ending == ".parquet" and path.is_file() and can_read(path):
            return _parquet(path, source, size)
        table = read_file(path, source)
    batches = _batched(table.rows, size)
    if table.columns is not None:
        return RowStream(table.place, ending, table.columns, batches)
    first = next(batches, None)  # JSON rows: the first one says what the others are likely to have
    columns = tuple(map(str, first.rows[0])) if first else ()
    return RowStream(table.place, ending, columns, _again(first, batches))


def _again(first: RowBatch | None, rest: Iterator[RowBatch]) -> Iterator[RowBatch]:
    if first is not None:
        yield first
        yield from rest


def _batched(rows: Iterable[NumberedRow], size: int) -> Iterator[RowBatch]:
    walked = iter(rows)
    while chunk := list(islice(walked, size)):
        yield RowBatch(tuple(row for _, row in chunk), tuple(number for number, _ in chunk))


def _parquet(path: Path, file: str, size: int) -> RowStream:
    import pyarrow
    from pyarrow import parquet

    try:
        opened = parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{file}: not a Parquet file ({_first_line(error)})") from error
    names = list(opened.schema_arrow.names)
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataError(f"{file}: several columns are named {twice[0]!r}; rename all but one")

    def batches() -> Iterator[RowBatch]:
        start = 1
        try:
            with opened:
                for batch in opened.iter_batches(batch_size=size):
                    numbers = tuple(range(start, start + batch.num_rows))
                    start += batch.num_rows
                    yield RowBatch(tuple(batch.to_pylist()), numbers, batch)
        except (pyarrow.ArrowException, OSError) as error:
            raise DataError(f"{file}: damaged ({_first_line(error)}); write it again") from error

    rows = opened.metadata.num_rows
    return RowStream(Place(file), ".parquet", tuple(names), batches(), rows)


def _parquets(source: str, paths: list[Path], size: int) -> RowStream:
    """Parquet files one after the other, with the columns of the first."""
    from pyarrow import parquet

    columns = read_files(source, paths).columns
    heads = [parquet.read_metadata(path) for path in paths]
    # arrays of other types do not go into one file of arrays
    schemas = [parquet.read_schema(path) for path in paths]
    alike = all(schema.equals(schemas[0]) for schema in schemas)
    place = Places(source)

    def batches() -> Iterator[RowBatch]:
        start = 0
        for path, head in zip(paths, heads, strict=True):
            place.begun.append((start, Place(str(path))))
            for batch in _parquet(path, str(path), size).batches:
                numbers = tuple(start + number for number in batch.numbers)
                yield RowBatch(batch.rows, numbers, batch.arrow if alike else None)
            start += head.num_rows

    total = sum(head.num_rows for head in heads)
    return RowStream(place, ".parquet", columns, batches(), total)


def _streamed(source: str) -> Table:
    from promptkit.data.sources import find

    found = find(source, streaming=True)
    return found.splits[found.chosen(None)]()


def _standard_input() -> tuple[str, Table]:
    place = Place("standard input", "line")
    raw = io.BufferedReader(sys.stdin.buffer)  # type: ignore[type-var]
    begins = raw.peek(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
    if begins.startswith(b"{"):
        return ".jsonl", Table(place, parsed_lines(_lines(raw, "\n"), place))
    return ".csv", delimited_table(_lines(raw, ""), place, delimiter=",")


def _lines(raw: Any, newline: str) -> Iterator[str]:
    text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline=newline)
    try:
        for number, line in enumerate(text, start=1):
            if "\0" in line:
                raise DataError(f"standard input line {number}: holds a NUL byte; send UTF-8 text")
            yield line
    except UnicodeDecodeError as error:
        raise DataError("standard input: not UTF-8; convert it with iconv -t utf-8") from error


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
