"""Rows out, batch by batch, so that what was written can be gone on with after a kill."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from promptkit.data.values import plain
from promptkit.errors import DataError, SpecError

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
#: Rows of a Parquet part: enough for row groups that compress, few enough for memory.
PART_ROWS = 16_384
#: Seconds after which fewer will do, so that a slow model's work is not lost.
PART_SECONDS = 30.0

Row = Mapping[str, Any]


class RowWriter(Protocol):
    """Takes rows in order."""

    def write(self, rows: Sequence[Row], arrow: Any = None) -> None:
        """Take some rows; ``arrow`` holds the same rows' first columns, where there is such."""
        ...

    def mark(self) -> int | None:
        """Bring to disk what was taken, and say what `resumed` needs to go on from here.

        None where it is too early for that.
        """
        ...

    def finish(self, target: Path) -> None:
        """Put all rows where they belong, whole."""
        ...

    def close(self) -> None:
        """Let go of the files; what was marked stays."""
        ...


def ending_of(output: str) -> str:
    """The format of a file to write.

    Raises:
        SpecError: One that is not written.
    """
    ending = Path(output).suffix.lower()
    if ending not in ENDINGS:
        raise SpecError(f"{output}: cannot tell the format; end its name in {' '.join(ENDINGS)}")
    return ending


def row_writer(
    folder: Path, ending: str, columns: Sequence[str], kinds: Mapping[str, type], mark: int
) -> RowWriter:
    """A writer that keeps its rows in a folder until they are all there.

    Args:
        folder: Where to.
        ending: The format, of `ENDINGS`.
        columns: All columns in order.
        kinds: What the values of some columns are, which Parquet must know before it sees one.
        mark: 0 to begin, else what `RowWriter.mark` said: what was written later is dropped.
    """
    if ending == ".parquet":
        return PartsWriter(folder, columns, kinds, mark)
    file = folder / f"rows{ending}"
    opened = file.open("r+b" if mark and file.is_file() else "wb")
    opened.truncate(mark)
    opened.seek(mark)
    return TextWriter(opened, ending, columns, header=not mark, file=file)


class TextWriter:
    """CSV, TSV or JSON lines.

    Args:
        opened: The file or stream, at the place to write to.
        ending: The format.
        columns: All columns in order.
        header: Whether CSV begins with their names.
        file: Where it lies; None for a stream.
    """

    def __init__(
        self,
        opened: BinaryIO,
        ending: str,
        columns: Sequence[str],
        *,
        header: bool,
        file: Path | None = None,
    ) -> None:
        self._opened, self._columns, self._file = opened, tuple(columns), file
        delimiters = {".csv": ",", ".tsv": "\t"}
        self._text: Callable[[Sequence[Row]], str] = _json_lines
        if ending in delimiters:
            self._text = lambda rows: _delimited(rows, self._columns, delimiters[ending])
            if header:
                heads = [dict(zip(self._columns, self._columns, strict=True))]
                self._put(self._text(heads))

    def write(self, rows: Sequence[Row], arrow: Any = None) -> None:
        """Write the rows; a stream gets them at once."""
        self._put(self._text(rows))
        if self._file is None:
            self._opened.flush()

    def mark(self) -> int | None:
        """The length of the file."""
        self._opened.flush()
        os.fsync(self._opened.fileno())
        return self._opened.tell()

    def finish(self, target: Path) -> None:
        """Close the file, and rename it."""
        self.mark()
        self._opened.close()
        assert self._file is not None
        self._file.replace(target)

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    def _put(self, text: str) -> None:
        # half a surrogate pair, which JSON may hold and UTF-8 may not, stays an escape
        self._opened.write(text.encode("utf-8", "backslashreplace"))


class PartsWriter:
    """Parquet: whole files of some rows each, joined at the end; half a file could not be read.

    Args:
        folder: Where the parts lie.
        columns: All columns in order.
        kinds: What the values of some columns are.
        mark: How many of the parts there are to keep.
    """

    def __init__(
        self, folder: Path, columns: Sequence[str], kinds: Mapping[str, type], mark: int
    ) -> None:
        self._folder, self._columns, self._parts = folder, tuple(columns), mark
        self._kinds = kinds
        self._waiting: list[Any] = []
        self._since = time.monotonic()
        self._schema: Any = None
        for part in sorted(folder.glob("part-*.parquet"))[mark:]:
            part.unlink()
        if mark:
            from pyarrow import parquet

            self._schema = parquet.read_schema(self._part(0))

    def write(self, rows: Sequence[Row], arrow: Any = None) -> None:
        """Keep the rows until there are enough for a part."""
        import pyarrow

        added = self._columns[len(arrow.schema.names) :] if arrow is not None else self._columns
        whole = rows if arrow is not None else _even(rows, self._columns)
        records = [{name: row.get(name) for name in added} for row in whole]
        try:
            made = self._table(records, added, arrow)
        except (pyarrow.ArrowException, TypeError, ValueError, OverflowError) as error:
            why = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(
                f"values of one column do not have one type, as Parquet needs ({why}); write "
                ".jsonl instead"
            ) from error
        self._waiting.append(made)

    def mark(self) -> int | None:
        """The number of parts; None while rows wait for more of them, which they do not do long."""
        waiting = sum(table.num_rows for table in self._waiting)
        if waiting >= PART_ROWS or time.monotonic() - self._since > PART_SECONDS:
            self._part_out()
        return None if self._waiting else self._parts

    def finish(self, target: Path) -> None:
        """Join the parts, one at a time in memory."""
        from pyarrow import parquet

        if self._schema is None:
            self.write([])
        self._part_out()
        whole = self._folder / "whole.parquet"
        with parquet.ParquetWriter(whole, self._schema) as writer:
            for place in range(self._parts):
                writer.write_table(parquet.read_table(self._part(place), schema=self._schema))
        whole.replace(target)

    def close(self) -> None:
        """Forget the rows that wait."""
        self._waiting = []

    def _part_out(self) -> None:
        """What waits becomes a file, whole or not at all."""
        import pyarrow
        from pyarrow import parquet

        self._since = time.monotonic()
        if self._waiting:
            part = self._part(self._parts)
            beside = part.with_suffix(".new")
            parquet.write_table(pyarrow.concat_tables(self._waiting), beside)
            beside.replace(part)
            self._waiting, self._parts = [], self._parts + 1

    def _part(self, place: int) -> Path:
        return self._folder / f"part-{place:06d}.parquet"

    def _table(self, records: list[dict[str, Any]], added: Sequence[str], arrow: Any) -> Any:
        import pyarrow

        if self._schema is None:
            own = pyarrow.Table.from_pylist(
                records, pyarrow.schema(_types(records, added, self._kinds))
            )
            if arrow is not None:
                kept = {k: v for k, v in (arrow.schema.metadata or {}).items()
                        if k != b"huggingface"}  # fmt: skip
                fields = [*arrow.schema, *own.schema]
                self._schema = pyarrow.schema(fields, metadata=kept or None)
            else:
                self._schema = own.schema
        columns = list(arrow.columns) if arrow is not None else []
        columns += [
            pyarrow.array([record[name] for record in records], self._schema.field(name).type)
            for name in added
        ]
        return pyarrow.Table.from_arrays(columns, schema=self._schema)


def _types(
    records: list[dict[str, Any]], names: Sequence[str], kinds: Mapping[str, type]
) -> list[tuple[str, Any]]:
    """The type of each column: as said, else by its values so far; text where there are none."""
    import pyarrow

    said = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64(),
            bool: pyarrow.bool_(), list: pyarrow.list_(pyarrow.float64()),
            tuple: pyarrow.list_(pyarrow.string())}  # fmt: skip
    found = []
    for name in names:
        if name in kinds:
            found.append((name, said[kinds[name]]))
            continue
        values = pyarrow.array([record[name] for record in records])
        nothing = pyarrow.types.is_null(values.type)
        found.append((name, pyarrow.string() if nothing else values.type))
    return found


def _json_lines(rows: Sequence[Row]) -> str:
    return "".join(json.dumps(_json(row), ensure_ascii=False) + "\n" for row in rows)


def _json(row: Row) -> dict[str, Any]:
    try:
        return {name: plain(value) for name, value in row.items()}
    except TypeError as error:
        raise DataError(f"JSON lines cannot hold {error}; write .parquet instead") from error


def _delimited(rows: Sequence[Row], columns: Sequence[str], delimiter: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    for row in _even(rows, columns):
        writer.writerow([_cell(row.get(name)) for name in columns])
    return text.getvalue()


def _even(rows: Sequence[Row], columns: Sequence[str]) -> Sequence[Row]:
    """The rows, none of which has a column of its own: a table would leave it out."""
    known = set(columns)
    for row in rows:
        for name in row:
            if name not in known:
                raise DataError(
                    f"a row has the column {name!r}, which the first row lacks; write .jsonl "
                    "instead, where rows may differ"
                )
    return rows


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        value = plain(value)
    except TypeError as error:
        raise DataError(f"CSV cannot hold {error}; write .parquet instead") from error
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
