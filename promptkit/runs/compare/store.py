"""Cells on disk: a comparison that was killed goes on where it stopped, and several work on one.

A comparison's folder is ``.promptkit/comparisons/<fingerprint>``. Each worker writes a file of its
own there, ``cells-<worker>.jsonl`` with a line per cell, and ``pilot-<worker>.jsonl`` with a line
per pilot, and reads everybody's. A line is found by a key that names everything that can change it,
so that a comparison with more strategies takes up what it shares with an earlier one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from promptkit.errors import StoreError
from promptkit.runs.compare.nouns import Cell
from promptkit.runs.compare.work import Work
from promptkit.runs.compare.workers import Workers
from promptkit.runs.files import append_text, translated

_CELLS, _PILOT = "cells", "pilot"


class CellStore:
    """The cells of one comparison.

    Args:
        fingerprint: Names rows, draws and seed.
        root: ``.promptkit`` in the working folder by default, or the environment variable
            PROMPTKIT_HOME. Workers on several machines need one that all of them see.

    Attributes:
        workers: Who works here.
    """

    def __init__(self, fingerprint: str, root: str | Path | None = None) -> None:
        home = Path(root or os.environ.get("PROMPTKIT_HOME", ".promptkit"))
        self.folder = home / "comparisons" / fingerprint
        self.workers = Workers(self.folder)
        self._cells: dict[str, Cell] = {}
        self._pilots: dict[str, dict[str, Any]] = {}
        self._read: dict[Path, int] = {}

    @contextmanager
    def open(self, *, fresh: bool = False) -> Iterator[CellStore]:
        """Work there, beside others.

        Args:
            fresh: Forget what is there.

        Raises:
            StoreError: The folder cannot be written, or others work on what is to be forgotten.
        """
        with self.workers.present():
            if fresh:
                self._forget()
            self.refresh()
            yield self

    def refresh(self) -> None:
        """Read what others have added."""
        for line in self._added(_CELLS):
            key = line.pop("key")
            self._cells.setdefault(key, _cell(line))
        for line in self._added(_PILOT):
            self._pilots.setdefault(line.pop("key"), line)

    def cell(self, key: str) -> Cell | None:
        """The finished cell, if it is known to be there."""
        return self._cells.get(key)

    def claim(self, key: str) -> bool:
        """Whether this worker is to compute a cell: nobody has, and nobody does."""
        if not self.workers.claim(key):
            return False
        self.refresh()  # its owner may have finished and gone since it was looked at
        return key not in self._cells

    def add(self, key: str, cell: Cell) -> None:
        """Keep a finished cell; on disk when this returns."""
        self._cells[key] = cell
        self._append(_CELLS, {"key": key, **asdict(cell)})

    def pilot(self, key: str) -> dict[str, Any] | None:
        """What a pilot measured, if it is there."""
        return self._pilots.get(key)

    def add_pilot(self, key: str, measured: dict[str, Any]) -> None:
        """Keep what a pilot measured."""
        self._pilots[key] = measured
        self._append(_PILOT, {"key": key, **measured})

    def _append(self, kind: str, line: dict[str, Any]) -> None:
        file = self.folder / f"{kind}-{self.workers.me}.jsonl"
        with translated(self.folder):
            append_text(file, json.dumps(line, ensure_ascii=True) + "\n")

    def _added(self, kind: str) -> Iterator[dict[str, Any]]:
        """Whole lines of all workers' files that were not read before."""
        for file in sorted(self.folder.glob(f"{kind}*.jsonl")):
            with translated(self.folder), file.open("rb") as opened:
                opened.seek(self._read.get(file, 0))
                content = opened.read()
            whole = content[: content.rfind(b"\n") + 1]  # half a line: it is written, or never was
            self._read[file] = self._read.get(file, 0) + len(whole)
            for line in whole.splitlines():
                try:
                    yield json.loads(line)
                except ValueError:
                    continue

    def _forget(self) -> None:
        others = self.workers.others()
        if others:
            raise StoreError(
                f"{self.folder}: {len(others)} other processes work on this comparison; wait for "
                "them, or stop them, before it is computed anew"
            )
        with translated(self.folder):
            for kind in (_CELLS, _PILOT):
                for file in self.folder.glob(f"{kind}*.jsonl"):
                    file.unlink(missing_ok=True)
            self.workers.forget_claims()


def _cell(line: dict[str, Any]) -> Cell:
    for key in ("predicted", "confidence"):
        line[key] = tuple(line.get(key, ()))
    for key in ("fit_work", "row_work"):
        line[key] = Work(**line[key]) if line.get(key) else None
    return Cell(**line)
