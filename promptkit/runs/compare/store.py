"""Cells on disk: a comparison that was killed goes on where it stopped.

A comparison's folder is ``.promptkit/comparisons/<fingerprint>``; it holds ``cells.jsonl``, a line
per cell, and ``pilot.jsonl``, a line per pilot. A line is found by a key that names everything
that can change it, so that a comparison with more strategies takes up what it shares with an
earlier one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from promptkit.runs.compare.nouns import Cell
from promptkit.runs.files import append_text, locked, translated, whole_lines


class CellStore:
    """The cells of one comparison.

    Args:
        fingerprint: Names rows, draws and seed.
        root: ``.promptkit`` in the working folder by default, or the environment variable
            PROMPTKIT_HOME.
    """

    def __init__(self, fingerprint: str, root: str | Path | None = None) -> None:
        home = Path(root or os.environ.get("PROMPTKIT_HOME", ".promptkit"))
        self.folder = home / "comparisons" / fingerprint
        self._cells: dict[str, Cell] = {}
        self._pilots: dict[str, dict[str, Any]] = {}

    @contextmanager
    def open(self, *, fresh: bool = False) -> Iterator[CellStore]:
        """Hold the folder and read what it has.

        Raises:
            StoreError: Another process works there, or it cannot be written.
        """
        with locked(self.folder):
            cells, pilots = self.folder / "cells.jsonl", self.folder / "pilot.jsonl"
            with translated(self.folder):
                for file in (cells, pilots):
                    if fresh:
                        file.unlink(missing_ok=True)
                    _mend(file)
            for line in _read(cells):
                key = line.pop("key")
                self._cells[key] = Cell(**{**line, "predicted": tuple(line["predicted"])})
            for line in _read(pilots):
                self._pilots[line.pop("key")] = line
            yield self

    def cell(self, key: str) -> Cell | None:
        """The finished cell, if it is there."""
        return self._cells.get(key)

    def add(self, key: str, cell: Cell) -> None:
        """Keep a finished cell; on disk when this returns."""
        self._cells[key] = cell
        self._append("cells.jsonl", {"key": key, **asdict(cell)})

    def pilot(self, key: str) -> dict[str, Any] | None:
        """What a pilot measured, if it is there."""
        return self._pilots.get(key)

    def add_pilot(self, key: str, measured: dict[str, Any]) -> None:
        """Keep what a pilot measured."""
        self._pilots[key] = measured
        self._append("pilot.jsonl", {"key": key, **measured})

    def _append(self, name: str, line: dict[str, Any]) -> None:
        with translated(self.folder):
            append_text(self.folder / name, json.dumps(line, ensure_ascii=True) + "\n")


def _mend(file: Path) -> None:
    """Cut off a line that a killed process left half written."""
    if not file.is_file():
        return
    content = file.read_bytes()
    if not content.endswith(b"\n"):
        file.write_bytes(content[: content.rfind(b"\n") + 1])


def _read(file: Path) -> Iterator[dict[str, Any]]:
    return whole_lines(file) if file.is_file() else iter(())
