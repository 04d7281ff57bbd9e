"""File formats by their endings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from promptkit.data.arrow import read_parquet
from promptkit.data.delimited import read_delimited
from promptkit.data.json_rows import read_json, read_json_lines
from promptkit.data.packed import is_packed, unpacked_name
from promptkit.data.place import Table
from promptkit.errors import DataError

Reader = Callable[[Path, str], Table]

#: Ending to reader; the text formats may end in ``.gz`` or ``.zst`` besides.
READERS: dict[str, Reader] = {
    ".csv": partial(read_delimited, delimiter=","),
    ".tsv": partial(read_delimited, delimiter="\t"),
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".json": read_json,
    ".parquet": read_parquet,
}
_SPREADSHEETS = {".xlsx", ".xls", ".xlsm", ".ods", ".numbers"}


def stem_and_ending(path: Path) -> tuple[str, str]:
    """A file's name without its endings, and the ending that says its format.

    >>> stem_and_ending(Path("data/train.csv.gz"))
    ('train', '.csv')
    """
    name = unpacked_name(path)
    return name.stem, name.suffix.lower()


def can_read(path: Path) -> bool:
    """Whether the ending is one that `read_file` knows."""
    ending = stem_and_ending(path)[1]
    packed_parquet = ending == ".parquet" and is_packed(path)
    return ending in READERS and not packed_parquet


def read_file(path: Path, file: str) -> Table:
    """Read a file by its ending.

    Args:
        path: The file.
        file: How messages name it.

    Raises:
        DataError: Missing, empty, or of a format that is not read.
    """
    if not path.is_file():
        raise DataError(f"{file}: no such file")
    ending = stem_and_ending(path)[1]
    if ending in _SPREADSHEETS:
        raise DataError(f"{file}: is a spreadsheet; save it as CSV (UTF-8) and pass that file")
    if not can_read(path):
        if ending == ".parquet":
            raise DataError(f"{file}: Parquet compresses its columns itself; unpack the file")
        known = " ".join(READERS)
        raise DataError(f"{file}: cannot tell its format by the name; use one of {known}")
    if path.stat().st_size == 0:
        raise DataError(f"{file}: is empty; it must hold rows")
    return READERS[ending](path, file)
