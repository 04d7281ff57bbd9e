"""The rows of a split read whole, and written again in the format that they came in."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptkit.data.inspection.classes import with_lists
from promptkit.data.inspection.gather import Roles, row_of
from promptkit.data.inspection.nouns import OnStep, Row
from promptkit.data.packed import is_packed
from promptkit.data.parting.part import Parted
from promptkit.data.parting.sizes import PARTS
from promptkit.data.readers import READERS, can_read, stem_and_ending
from promptkit.data.row_writers import row_writer
from promptkit.data.sources import Source
from promptkit.data.values import plain
from promptkit.errors import DataError, SpecError, StoreError

#: What was done, beside the parts.
NOTE = "split.json"


@dataclass(frozen=True)
class WholeSplit:
    """All rows of one split.

    Args:
        rows: As far as they are looked at.
        raw: With all their columns.
        columns: The columns; None where each row brings its own.
        ending: How the files of the parts end, such as ``.csv.gz``.
        paths: The files that they were read from.
    """

    rows: tuple[Row, ...]
    raw: tuple[Mapping[str, Any], ...]
    columns: tuple[str, ...] | None
    ending: str
    paths: tuple[Path, ...] = ()

    def content_hash(self) -> str:
        """Names what the rows hold, in their order."""
        digest = hashlib.sha256()
        for row in self.raw:
            told = json.dumps(row, default=str, ensure_ascii=True, sort_keys=True)
            digest.update(told.encode() + b"\n")
        return digest.hexdigest()


def read_split(found: Source, split: str, roles: Roles, on_step: OnStep) -> WholeSplit:
    """Read all rows of a split.

    Raises:
        DataError: One of them cannot be read, or there is none.
    """
    table = found.splits[split]()
    rows, raw = [], []
    for number, row in table.rows:
        rows.append(row_of(split, table, number, row, roles))
        raw.append(row)
        if len(rows) % 1000 == 0:
            on_step("reading", len(rows), None)
    if not rows:
        raise DataError(f"{table.place.file}: holds no rows")
    paths = found.paths.get(split, ())
    return WholeSplit(tuple(with_lists(rows)), tuple(raw), table.columns, ending_for(paths), paths)


def ending_for(paths: Sequence[Path]) -> str:
    """How the files of the parts end: as those that the rows were read from.

    Raises:
        SpecError: Those are of several formats.
    """
    if not paths:
        return ".parquet"
    endings = {stem_and_ending(path)[1] for path in paths}
    if len(endings) > 1:
        raise SpecError(
            f"rows of several formats ({' '.join(sorted(endings))}) are not split together; write "
            "them in one"
        )
    packing = paths[0].suffix.lower() if is_packed(paths[0]) else ""
    return endings.pop() + packing


def check_folder(output: str, force: bool) -> Path:
    """The folder to write to, if that can be done.

    Raises:
        SpecError: It holds something, and ``force`` is not said; or something that no split wrote.
    """
    target = Path(output).expanduser()
    if target.exists() and not target.is_dir():
        raise SpecError(f"--output {output}: is a file; name a folder")
    if not target.absolute().parent.is_dir():
        raise SpecError(f"--output {output}: no such folder {target.parent}")
    there = sorted(path.name for path in target.iterdir()) if target.is_dir() else []
    strange = [name for name in there if not _ours(target / name)]
    if strange:
        raise SpecError(
            f"--output {output}: holds {strange[0]!r}, which no split writes; name another folder"
        )
    if there and not force:
        raise SpecError(f"--output {output}: is there already; name another, or say --force")
    return target


def write_parts(target: Path, whole: WholeSplit, parted: Parted, told: Mapping[str, Any]) -> None:
    """Write the files of all parts and `NOTE`; the folder is there whole, or as it was.

    Args:
        target: The folder; what an earlier split wrote there is replaced.
        whole: The rows.
        parted: Their parts.
        told: What `NOTE` says beside the parts.

    Raises:
        StoreError: It cannot be written.
        DataError: A value that the format has no word for.
    """
    target = target.resolve()
    with _beside(target) as folder:
        parts = {}
        counts = parted.counts()
        for part, own in counts.items():
            places = [at for at, name in enumerate(parted.parts) if name == part]
            file = folder / f"{part}{whole.ending}"
            _write(file, whole, places)
            parts[part] = {
                "file": file.name,
                "rows": len(places),
                "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
                "labels": [{"label": label, "rows": n} for label, n in own.items()],
            }
        note = json.dumps({**told, "parts": parts}, indent=1, ensure_ascii=True, default=str)
        (folder / NOTE).write_text(note + "\n", encoding="utf-8")


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A new folder that takes the place of the target at the end, and goes where that fails."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise StoreError(f"{target.parent}: cannot be written to ({error.strerror})") from error
    old = folder.with_name(f"{folder.name}.old")
    try:
        yield folder
        mode = 0o777 & ~_umask()
        folder.chmod(mode)
        if target.exists():
            target.rename(old)
        folder.rename(target)
    except OSError as error:
        if old.exists() and not target.exists():
            old.rename(target)
        raise StoreError(f"{target}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _write(file: Path, whole: WholeSplit, places: Sequence[int]) -> None:
    ending = stem_and_ending(file)[1]
    if ending == ".parquet" and whole.paths:
        _write_arrow(file, whole.paths, places)
        return
    rows = [whole.raw[at] for at in places]
    if ending == ".json":
        _write_list(file, rows)
        return
    with tempfile.TemporaryDirectory(dir=file.parent) as aside:
        columns = whole.columns or ()
        writer = row_writer(Path(aside), whole.ending, columns, {}, 0)
        try:
            writer.write(rows)
            writer.finish(file)
        finally:
            writer.close()


def _write_arrow(file: Path, paths: Sequence[Path], places: Sequence[int]) -> None:
    """Rows of Parquet files with their types, and the names of their classes."""
    import pyarrow
    from pyarrow import parquet

    tables = [parquet.read_table(path) for path in paths]
    try:
        table = tables[0] if len(tables) == 1 else pyarrow.concat_tables(tables)
    except pyarrow.ArrowException as error:
        raise DataError(
            f"{paths[0]} and the other files have columns of other types; write them alike"
        ) from error
    parquet.write_table(table.take(pyarrow.array(places, pyarrow.int64())), file)


def _write_list(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    from promptkit.data.packed import pack

    lines = [json.dumps({k: plain(v) for k, v in row.items()}, ensure_ascii=False) for row in rows]
    content = ("[\n" + ",\n".join(lines) + "\n]\n").encode("utf-8", "backslashreplace")
    file.write_bytes(pack(content, file.suffix) if is_packed(file) else content)


def _ours(path: Path) -> bool:
    stem, ending = stem_and_ending(path)
    return path.name == NOTE or (path.is_file() and can_read(path) and stem in PARTS
                                 and ending in READERS)  # fmt: skip
