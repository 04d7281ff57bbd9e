"""A file of rows cut into blocks, and into pieces of blocks that can be read side by side.

Blocks are the same whoever reads them: so many batches each, in the order of the file, and each
batch has the rows that it would have in one process. So every answer is computed beside the same
other rows, and comes out with the same digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any

from promptkit.data.arrow_tables import regrouped
from promptkit.data.json_rows import parsed_lines
from promptkit.data.patterns import is_pattern, matched_files
from promptkit.data.place import Place
from promptkit.data.row_stream import RowBatch, RowStream, row_stream
from promptkit.data.text import translated
from promptkit.errors import DataError

#: Blocks that a job has at most, unless they would be too large: each is a file.
MOST_BLOCKS = 20_000
#: Rows that a block has at most: a worker holds them all, and loses them all.
MOST_ROWS = 65_536
#: Bytes of a file from which on it is read in several pieces.
PIECE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Cut:
    """How a file is cut.

    Args:
        source: The file, as the user has named it.
        batch_rows: Rows that are answered together.
        block_batches: Batches of a block.
    """

    source: str
    batch_rows: int
    block_batches: int

    @property
    def block_rows(self) -> int:
        """Rows of a block."""
        return self.batch_rows * self.block_batches


@dataclass(frozen=True)
class Piece:
    """A part of a file that is read by itself.

    Args:
        way: ``all`` reads the file from its beginning; ``lines`` bytes of JSON lines; ``rows``
            rows of a Parquet file.
        first: Number of its first block.
        start: Its first byte or row.
        stop: The byte or row after its last.
        before: Lines before it.
    """

    way: str
    first: int = 0
    start: int = 0
    stop: int = 0
    before: int = 0


def block_batches(batch_rows: int, rows: int) -> int:
    """Batches of a block, so that blocks are neither too many nor too large.

    >>> block_batches(256, 1_000), block_batches(256, 50_000_000), block_batches(256, 10**10)
    (1, 10, 256)
    """
    most = max(1, MOST_ROWS // batch_rows)
    return min(most, max(1, ceil(rows / batch_rows / MOST_BLOCKS)))


def likely_rows(stream: RowStream, source: str, first: RowBatch | None) -> int:
    """About how many rows a file has: as it says, else by its size and its first rows."""
    if stream.total is not None or first is None:
        return stream.total or 0
    path = Path(source).expanduser()
    files = matched_files(source) if is_pattern(source) else [path] if path.is_file() else []
    bytes_each = sum(len(str(tuple(row.values()))) for row in first.rows) / len(first)
    likely = ceil(sum(file.stat().st_size for file in files) / max(1.0, bytes_each))
    return max(likely, len(first))


def pieces_of(cut: Cut, stream: RowStream) -> tuple[list[Piece], int | None]:
    """The pieces of a file in order, and its rows where that is known.

    Lines of JSON are counted, to know where blocks begin; CSV is one piece, as a line end within
    quotes is told from others only by all that stands before it.

    Args:
        cut: How it is cut.
        stream: The file, opened.
    """
    path = Path(cut.source).expanduser()
    large = path.is_file() and path.stat().st_size >= PIECE_BYTES
    if large and path.suffix.lower() in (".jsonl", ".ndjson"):
        return _pieces_of_lines(path, cut)
    if large and path.suffix.lower() == ".parquet" and stream.total and _is_even(path):
        return _pieces_of_rows(path, cut, stream.total), stream.total
    return [Piece("all")], stream.total


def blocks_of(piece: Piece, cut: Cut) -> Iterator[tuple[int, list[RowBatch]]]:
    """The blocks of a piece, each with its number.

    Raises:
        DataError: A row that cannot be read, with its place in the whole file.
    """
    path = Path(cut.source).expanduser()
    if piece.way == "lines":
        batches = _batches_of_lines(path, piece, cut)
    elif piece.way == "rows":
        batches = _batches_of_rows(path, piece, cut)
    else:
        batches = row_stream(cut.source, cut.batch_rows).batches
    number = piece.first
    while block := list(islice(batches, cut.block_batches)):
        yield number, block
        number += 1


def _pieces_of_lines(path: Path, cut: Cut) -> tuple[list[Piece], int]:
    """Pieces of whole blocks, each of `PIECE_BYTES` or little more."""
    found: list[Piece] = []
    start = before = begun = rows = offset = 0
    with path.open("rb") as file:
        for number, line in enumerate(file):
            cuttable = rows % cut.block_rows == 0 and rows > begun
            if cuttable and offset - start >= PIECE_BYTES:
                found.append(Piece("lines", begun // cut.block_rows, start, offset, before))
                start, before, begun = offset, number, rows
            offset += len(line)
            rows += not _is_blank(line, first=number == 0)
    found.append(Piece("lines", begun // cut.block_rows, start, offset, before))
    return found, rows


def _is_blank(line: bytes, *, first: bool) -> bool:
    """Whether the reader of rows passes over a line: white space of Unicode, too."""
    line = line.removeprefix(b"\xef\xbb\xbf") if first else line
    if not line or line.lstrip()[:1] == b"{":
        return not line
    return line.decode("utf-8", "replace").isspace()


class _After(Place):
    """Lines of a piece, told by their number in the file."""

    def __init__(self, file: str, before: int) -> None:
        super().__init__(file, "line")
        object.__setattr__(self, "before", before)

    def at(self, number: int) -> str:
        """The start of a message about one row."""
        before: int = self.before  # type: ignore[attr-defined]
        return super().at(number + before)


def _batches_of_lines(path: Path, piece: Piece, cut: Cut) -> Iterator[RowBatch]:
    place = _After(cut.source, piece.before)
    rows = parsed_lines(_lines(path, piece, place), place)
    while chunk := list(islice(rows, cut.batch_rows)):
        yield RowBatch(tuple(row for _, row in chunk), tuple(number for number, _ in chunk))


def _lines(path: Path, piece: Piece, place: Place) -> Iterator[str]:
    with translated(path, place), path.open("rb") as file:
        file.seek(piece.start)
        left, number = piece.stop - piece.start, 0
        while left > 0 and (line := file.readline()):
            left, number = left - len(line), number + 1
            text = line.decode("utf-8-sig" if piece.start == 0 and number == 1 else "utf-8")
            if "\0" in text:
                raise DataError(
                    f"{place.at(number)}: holds a NUL byte, so it is not UTF-8 text; export it "
                    "again as UTF-8"
                )
            yield text


def _is_even(path: Path) -> bool:
    """Whether the reader cuts batches by rows alone; columns of dictionaries are cut otherwise."""
    from pyarrow import parquet

    return not any("dictionary<" in str(field.type) for field in parquet.read_schema(path))


def _pieces_of_rows(path: Path, cut: Cut, rows: int) -> list[Piece]:
    n_pieces = max(1, path.stat().st_size // PIECE_BYTES)
    blocks = ceil(ceil(rows / cut.block_rows) / n_pieces)
    step = blocks * cut.block_rows
    return [
        Piece("rows", start // cut.block_rows, start, min(start + step, rows))
        for start in range(0, rows, step)
    ]


def _batches_of_rows(path: Path, piece: Piece, cut: Cut) -> Iterator[RowBatch]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as opened:
            tables = _tables(opened, piece)
            number = piece.start + 1
            for table in regrouped(tables, cut.batch_rows):
                (batch,) = table.combine_chunks().to_batches()
                numbers = tuple(range(number, number + batch.num_rows))
                number += batch.num_rows
                yield RowBatch(tuple(batch.to_pylist()), numbers, batch)
    except (pyarrow.ArrowException, OSError) as error:
        why = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(f"{cut.source}: damaged ({why}); write it again") from error


def _tables(opened: Any, piece: Piece) -> Iterator[Any]:
    """The rows of a piece, out of the row groups that have some of them."""
    import pyarrow

    at = 0
    for group in range(opened.metadata.num_row_groups):
        rows = opened.metadata.row_group(group).num_rows
        if at + rows > piece.start and at < piece.stop:
            here = at
            for batch in opened.iter_batches(row_groups=[group]):
                begin, end = max(piece.start - here, 0), min(piece.stop - here, batch.num_rows)
                if begin < end:
                    yield pyarrow.Table.from_batches([batch.slice(begin, end - begin)])
                here += batch.num_rows
        at += rows
