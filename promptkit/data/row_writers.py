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

from promptkit.data.arrow_tables import Row, Tables, even_rows, write_parquet
from promptkit.data.packed import is_packed, pack, repack, unpacked_name
from promptkit.data.values import plain
from promptkit.errors import DataError, SpecError

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
#: Rows of a Parquet part: enough for row groups that compress, few enough for memory.
PART_ROWS = 16_384
#: Seconds after which fewer will do, so that a slow model's work is not lost.
PART_SECONDS = 30.0


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
    """The format of a file to write, with the ending of its compression.

    >>> ending_of("answers.csv"), ending_of("answers.jsonl.zst")
    ('.csv', '.jsonl.zst')

    Raises:
        SpecError: One that is not written.
    """
    path = Path(output)
    ending = unpacked_name(path).suffix.lower()
    if ending not in ENDINGS:
        raise SpecError(
            f"{output}: cannot tell the format; end its name in {' '.join(ENDINGS)}, the text "
            "formats in .gz or .zst besides"
        )
    if is_packed(path) and ending == ".parquet":
        raise SpecError(
            f"{output}: Parquet compresses its columns itself; end its name in {ending}"
        )
    return ending + path.suffix.lower() if is_packed(path) else ending


def row_writer(
    folder: Path, ending: str, columns: Sequence[str], kinds: Mapping[str, type], mark: int
) -> RowWriter:
    """A writer that keeps its rows in a folder until they are all there.

    Args:
        folder: Where to.
        ending: The format, as `ending_of` says.
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
        ending: The format; with ``.gz`` or ``.zst`` what is written at once is one frame, so that a
            file that is cut between two of them is whole, and can be gone on with.
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
        self._packing = Path(f"rows{ending}").suffix if is_packed(Path(f"rows{ending}")) else ""
        ending = ending.removesuffix(self._packing)
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
        if self._packing == ".zst":
            self._file = repack(self._file)
        self._file.replace(target)

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    def _put(self, text: str) -> None:
        # half a surrogate pair, which JSON may hold and UTF-8 may not, stays an escape
        content = text.encode("utf-8", "backslashreplace")
        self._opened.write(pack(content, self._packing) if self._packing else content)


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
        self._folder, self._parts = folder, mark
        self._tables = Tables(columns, kinds)
        self._waiting: list[Any] = []
        self._since = time.monotonic()
        for part in sorted(folder.glob("part-*.parquet"))[mark:]:
            part.unlink()
        if mark:
            from pyarrow import parquet

            self._tables.schema = parquet.read_schema(self._part(0))

    def write(self, rows: Sequence[Row], arrow: Any = None) -> None:
        """Keep the rows until there are enough for a part."""
        self._waiting.append(self._tables.of(rows, arrow))

    def mark(self) -> int | None:
        """The number of parts; None while rows wait for more of them, which they do not do long."""
        waiting = sum(table.num_rows for table in self._waiting)
        if waiting >= PART_ROWS or time.monotonic() - self._since > PART_SECONDS:
            self._part_out()
        return None if self._waiting else self._parts

    def finish(self, target: Path) -> None:
        """Join the parts, one at a time in memory; the file does not show where they were cut."""
        from pyarrow import parquet

        if self._tables.schema is None:
            self.write([])
        self._part_out()
        whole, schema = self._folder / "whole.parquet", self._tables.schema
        parts = (parquet.read_table(self._part(n), schema=schema) for n in range(self._parts))
        write_parquet(parts, schema, whole, PART_ROWS)
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
    for row in even_rows(rows, columns):
        writer.writerow([_cell(row.get(name)) for name in columns])
    return text.getvalue()


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
