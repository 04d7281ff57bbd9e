"""Runs on disk: raw evidence row by row, so that nothing finished is lost.

A run's folder is ``.promptkit/runs/<fingerprint>``::

    spec.json        what is run, written first
    evidence.jsonl   a line per row, in the order of the rows, appended chunk by chunk
    costs.jsonl      a line per chunk: what it took
    record.json      the finished run; its presence means complete
    lock             held while a process writes

A process that is killed can leave half a line or half a chunk behind. Both are cut off when the
run goes on: a chunk is computed whole or not at all, so that a resumed run and an uninterrupted
one hold the same numbers.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from promptkit.errors import StoreError, nearest
from promptkit.types import Cost, Evidence, RunSpec


class Store:
    """The runs below one folder.

    Args:
        root: ``.promptkit`` in the working folder by default, or the environment variable
            PROMPTKIT_HOME.
    """

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = Path(root or os.environ.get("PROMPTKIT_HOME", ".promptkit"))

    def run(self, spec: RunSpec) -> StoredRun:
        """The folder of a spec; it need not exist yet."""
        return StoredRun(self.root / "runs" / spec.fingerprint(), spec)

    def find(self, fingerprint: str) -> Path:
        """The folder of the run whose fingerprint begins so.

        Raises:
            StoreError: None, or several; names the nearest.
        """
        known = [folder.name for folder in self.folders()]
        found = [name for name in known if name.startswith(fingerprint)] if fingerprint else []
        if len(found) == 1:
            return self.root / "runs" / found[0]
        if found:
            raise StoreError(f"run {fingerprint!r} is not unique: {', '.join(found)}")
        raise StoreError(
            f"no run {fingerprint!r} in {self.root / 'runs'}; {nearest(fingerprint, known)} "
            "('promptkit runs list' shows them)"
        )

    def folders(self) -> list[Path]:
        """Run folders, the newest first."""
        runs = self.root / "runs"
        if not runs.is_dir():
            return []
        found = [folder for folder in runs.iterdir() if (folder / "spec.json").is_file()]
        return sorted(found, key=lambda folder: -(folder / "spec.json").stat().st_mtime)


class StoredRun:
    """One run's folder.

    Args:
        folder: The folder.
        spec: What is run there.
    """

    def __init__(self, folder: Path, spec: RunSpec) -> None:
        self.folder, self.spec = folder, spec
        self._evidence = folder / "evidence.jsonl"
        self._costs = folder / "costs.jsonl"

    @property
    def complete(self) -> bool:
        """Whether the run's record has been written."""
        return (self.folder / "record.json").is_file()

    @contextmanager
    def writing(self, *, fresh: bool = False) -> Iterator[StoredRun]:
        """Hold the run's lock; a second process is refused.

        Raises:
            StoreError: Another process writes this run, or the folder cannot be written.
        """
        with _translated(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "lock").open("a+")
        try:
            _lock(lock, self.folder)
            with _translated(self.folder):
                if fresh:
                    for file in (self._evidence, self._costs, self.folder / "record.json"):
                        file.unlink(missing_ok=True)
                if not (self.folder / "spec.json").is_file():
                    self._write("spec.json", {**asdict(self.spec), "started": _now()})
            yield self
        finally:
            lock.close()

    def evidence(self, ids: Sequence[str], chunk: int) -> list[Evidence]:
        """The evidence of the finished chunks: a prefix of the rows in their order."""
        found = list(_lines(self._evidence)) if self._evidence.is_file() else []
        rows = [Evidence(**{k: _tupled(v) for k, v in line.items()}) for line in found]
        whole = len(rows) if len(rows) == len(ids) else len(rows) - len(rows) % chunk
        if [row.example_id for row in rows[:whole]] != list(ids[:whole]):
            raise StoreError(
                f"{self._evidence}: its rows are not those of the data; run again with --fresh"
            )
        return rows[:whole]

    def keep_only(self, n: int) -> None:
        """Cut the file of evidence after n lines."""
        if not self._evidence.is_file():
            return
        with _translated(self.folder), self._evidence.open("rb+") as file:
            for _ in range(n):
                file.readline()
            file.truncate(file.tell())

    def append(self, evidence: Sequence[Evidence], cost: Cost) -> None:
        """Store a chunk and what it took; on disk when this returns.

        Raises:
            StoreError: No space, or no right to write; what was stored before stays.
        """
        with _translated(self.folder):
            text = "".join(json.dumps(asdict(row), ensure_ascii=True) + "\n" for row in evidence)
            _append(self._evidence, text)
            _append(self._costs, json.dumps(asdict(cost)) + "\n")

    def cost(self) -> Cost:
        """What all chunks took together."""
        total = Cost()
        for line in _lines(self._costs) if self._costs.is_file() else ():
            total += Cost(**line)
        return total

    def finish(self, record: dict[str, Any]) -> None:
        """Write the record; from now on the run is complete."""
        with _translated(self.folder):
            self._write("record.json", {**record, "finished": _now()})

    def _write(self, name: str, content: dict[str, Any]) -> None:
        """Write a file whole or not at all."""
        beside = self.folder / f"{name}.new"
        with beside.open("w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=True, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.folder / name)


def read_json(file: Path) -> dict[str, Any]:
    """A JSON file of a run folder.

    Raises:
        StoreError: Absent or broken.
    """
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{file}: cannot be read ({error}); run again with --fresh") from error
    return content


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a file; one that a killed process left half written ends it."""
    with file.open("rb") as opened:
        for line in opened:
            if not line.endswith(b"\n"):
                return
            try:
                yield json.loads(line)
            except ValueError:
                return


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _lock(lock: TextIO, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: two processes on one run are not told apart
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StoreError(
            f"{folder}: another process is writing this run; wait for it, or stop it"
        ) from error


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreError(
                f"{folder}: no space left on the disk; the rows stored so far are kept: free some "
                "space and run the same command again, or set PROMPTKIT_HOME to another disk"
            ) from error
        raise StoreError(
            f"{folder}: cannot be written ({error.strerror}); set PROMPTKIT_HOME to a folder that "
            "can"
        ) from error
