"""Several files named by one pattern, such as ``parts/*.csv``, read as one table."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path

from promptkit.data.place import NumberedRow, Place, Places, Table
from promptkit.data.readers import can_read, read_file, stem_and_ending
from promptkit.errors import DataError, nearest

#: Formats whose files say at their beginning which columns they have.
_WITH_COLUMNS = (".csv", ".tsv", ".parquet")


def is_pattern(source: str) -> bool:
    """Whether a source stands for several files: it has ``*``, ``?`` or ``[`` and is no file."""
    return has_magic(source) and not Path(source).expanduser().exists()


def is_there(path: Path) -> bool:
    """Whether a file or folder is called so, or files are by a pattern."""
    return path.exists() or (has_magic(str(path)) and bool(glob(str(path))))


def matched_files(pattern: str) -> list[Path]:
    """The files that a pattern matches, sorted by name; folders and hidden files are none.

    Raises:
        DataError: None; or one that is not read; or one file under two names.
    """
    whole = os.path.expanduser(pattern)
    found = sorted(path for path in map(Path, glob(whole)) if path.is_file())
    if not found:
        raise DataError(f"{pattern}: no file is called so; {_beside(Path(whole))}")
    seen: dict[tuple[int, int], Path] = {}
    for path in found:
        if not can_read(path):
            read_file(path, str(path))  # which says what is the matter with it
        known = path.stat()
        other = seen.setdefault((known.st_dev, known.st_ino), path)
        if other is not path:
            raise DataError(
                f"{pattern}: {other} and {path} are one file, whose rows would be read twice; "
                "name the files so that one is left out"
            )
    return found


def read_files(pattern: str, paths: Sequence[Path]) -> Table:
    """The rows of all files in their order, each named by its own file and line.

    Args:
        pattern: What names them.
        paths: The files.

    Raises:
        DataError: The columns of one are not those of the first; while rows are walked, as for
            each file.
    """
    first = _columns_of(paths)
    place = Places(pattern, "row")
    if first is None:
        return Table(place, chained(place, (read_file(path, str(path)) for path in paths)))
    rows = chained(place, (read_file(path, str(path)) for path in paths))
    return Table(place, rows, columns=first.columns, label_names=first.label_names)


def chained(place: Places, tables: Iterable[Table]) -> Iterator[NumberedRow]:
    """The rows of tables one after the other, numbered on."""
    start = 0
    for table in tables:
        place.begun.append((start, table.place))
        last = 0
        for last, row in table.rows:
            yield start + last, row
        start += last


def pattern_name(pattern: str) -> str:
    """What tables call the rows: what the names begin with, else the folder.

    >>> pattern_name("data/train-*.csv"), pattern_name("parts/*.jsonl.gz"), pattern_name("a*/*.csv")
    ('train', 'parts', 'a')
    """
    for part in reversed(Path(os.path.abspath(os.path.expanduser(pattern))).parts):
        name = re.split(r"[*?\[]", part)[0].rstrip("-_. 0123456789") if has_magic(part) else part
        if name.strip("/"):
            return name
    return "files"


def _columns_of(paths: Sequence[Path]) -> Table | None:
    """The first file, if all are tables; each is opened now, so that none stops a run later on."""
    if not all(stem_and_ending(path)[1] in _WITH_COLUMNS for path in paths):
        return None
    first = read_file(paths[0], str(paths[0]))
    for path in paths[1:]:
        table = read_file(path, str(path))
        _check(first.place, first.columns or (), str(path), table.columns or ())
        if table.label_names != first.label_names:
            raise DataError(f"{path}: declares other classes than {paths[0]}; write both alike")
    return first


def _check(first: Place, wanted: Sequence[str], file: str, there: Sequence[str]) -> None:
    if set(wanted) == set(there):
        return
    missing = [name for name in wanted if name not in there]
    more = [name for name in there if name not in wanted]
    told = [f"lacks {_names(missing)}"] if missing else []
    told += [f"has {_names(more)} besides"] if more else []
    raise DataError(
        f"{file}: {' and '.join(told)}, where {first.file} has {_names(list(wanted))}; files of "
        "one pattern need the same columns"
    )


def _names(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - 8} more" if len(columns) > 8 else ""
    return ", ".join(map(repr, columns[:8])) + more


def _beside(pattern: Path) -> str:
    """What there is instead, in the nearest folder that the pattern names for certain."""
    folder = pattern.parent
    while has_magic(str(folder)):
        folder = folder.parent
    if not folder.is_dir():
        return f"the folder {folder} does not exist"
    names = sorted(each.name for each in folder.iterdir() if can_read(each) or each.is_dir())
    if not names:
        return f"{folder} holds no files of rows"
    wanted = pattern.parts[len(folder.parts)]
    return nearest(wanted, names).replace("known: ", f"{folder} holds: ")
