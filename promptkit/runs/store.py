"""Runs on disk: raw evidence row by row, so that nothing finished is lost.

A run's folder is ``.promptkit/runs/<fingerprint>``::

    spec.json        what is run, written first
    evidence.jsonl   a line per row, in the order of the rows, appended chunk by chunk
    costs.jsonl      a line per chunk: what it took, and how many rows there are with it
    fits.jsonl       a line per fit: what it took to learn
    fit/             checkpoints of a fit, until the run is finished
    record.json      the finished run; its presence means complete
    lock             held while a process writes

A process that is killed can leave half a line or half a chunk behind. Both are cut off when the
run goes on: a chunk is computed whole or not at all, so that a resumed run and an uninterrupted
one hold the same numbers.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from promptkit.errors import StoreError, nearest
from promptkit.runs.files import append_text, cut_after, locked, translated, whole_lines, write_json
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
        self._costs, self._fits = folder / "costs.jsonl", folder / "fits.jsonl"

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
        with locked(self.folder):
            with translated(self.folder):
                if fresh:
                    for name in ("evidence.jsonl", "costs.jsonl", "fits.jsonl", "record.json"):
                        (self.folder / name).unlink(missing_ok=True)
                    self._forget_checkpoints()
                if not (self.folder / "spec.json").is_file():
                    content = {**asdict(self.spec), "started": _now()}
                    write_json(self.folder / "spec.json", content)
            yield self

    def evidence(self, ids: Sequence[str], chunk: int) -> list[Evidence]:
        """The evidence of the finished chunks: a prefix of the rows in their order."""
        found = list(whole_lines(self._evidence)) if self._evidence.is_file() else []
        rows = [Evidence.from_json(line) for line in found]
        whole = len(rows) if len(rows) == len(ids) else len(rows) - len(rows) % chunk
        if [row.example_id for row in rows[:whole]] != list(ids[:whole]):
            raise StoreError(
                f"{self._evidence}: its rows are not those of the data; run again with --fresh"
            )
        return rows[:whole]

    def keep_only(self, n: int) -> None:
        """Cut the file of evidence after n lines, and that of costs after those of these rows."""
        with translated(self.folder):
            if self._evidence.is_file():
                cut_after(self._evidence, n)
            if self._costs.is_file():
                lines = list(whole_lines(self._costs))
                cut_after(self._costs, sum(line.get("rows_in_all", 0) <= n for line in lines))

    def append(self, evidence: Sequence[Evidence], cost: Cost, rows_in_all: int) -> None:
        """Store a chunk and what it took; on disk when this returns.

        What it took is written first: a process that is killed between the two leaves a cost
        without rows, which is cut off again, and never rows without their cost.

        Args:
            evidence: The chunk's.
            cost: What it took.
            rows_in_all: Rows that are stored with this chunk.

        Raises:
            StoreError: No space, or no right to write; what was stored before stays.
        """
        with translated(self.folder):
            text = "".join(json.dumps(asdict(row), ensure_ascii=True) + "\n" for row in evidence)
            spent = {**asdict(cost), "rows_in_all": rows_in_all}
            append_text(self._costs, json.dumps(spent) + "\n")
            append_text(self._evidence, text)

    def cost(self) -> Cost:
        """What all chunks took together."""
        return _total(self._costs)

    def checkpoints(self) -> Path:
        """The folder where a fit keeps its checkpoints; it stays until the run is finished."""
        with translated(self.folder):
            (self.folder / "fit").mkdir(exist_ok=True)
        return self.folder / "fit"

    def fitted(self, cost: Cost) -> None:
        """Store what a fit took; a run that goes on later fits again, which costs again."""
        with translated(self.folder):
            append_text(self._fits, json.dumps(asdict(cost)) + "\n")

    def fit_cost(self) -> Cost:
        """What all fits took together."""
        return _total(self._fits)

    def finish(self, record: dict[str, Any]) -> None:
        """Write the record; from now on the run is complete."""
        with translated(self.folder):
            write_json(self.folder / "record.json", {**record, "finished": _now()})
            self._forget_checkpoints()

    def _forget_checkpoints(self) -> None:
        if (self.folder / "fit").is_dir():
            shutil.rmtree(self.folder / "fit")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _total(file: Path) -> Cost:
    total = Cost()
    for line in whole_lines(file) if file.is_file() else ():
        total += Cost(**{name: n for name, n in line.items() if name != "rows_in_all"})
    return total
