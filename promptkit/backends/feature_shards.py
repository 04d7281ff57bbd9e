"""Pooled hidden states on disk: many small files of many rows each, and who is in which.

A folder holds ``<name>.safetensors`` files with four tensors::

    keys     (n, 16) the hash of each text
    states   (n, l, w) what was computed, float32
    cut      (n,) characters that the model did not read
    tokens   (n,) tokens that it read

A file is written beside its place and renamed, and its name follows from its keys: so two
processes may write at once, a process that dies leaves no half file under a valid name, and a
file is never changed once it is there. A file that cannot be read counts as absent.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from promptkit.errors import StoreError

#: What a process that died has left beside is removed after so many seconds.
_STALE = 3600.0


class Stored(NamedTuple):
    """What is kept of one text: (l, w) states, characters cut off, and tokens read."""

    states: NDArray[np.float32]
    cut: int
    tokens: int


class Shards:
    """The files of one folder.

    Args:
        folder: Where they lie; need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._places: dict[bytes, tuple[str, int]] = {}
        self._known: set[str] = set()

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Stored]:
        """What is stored of these texts; other processes' files are looked for too."""
        if any(key not in self._places for key in keys):
            self._look()
        by_file: dict[str, list[tuple[int, bytes]]] = {}
        for key in keys:
            if key in self._places:
                name, row = self._places[key]
                by_file.setdefault(name, []).append((row, key))
        found: dict[bytes, Stored] = {}
        for name, wanted in by_file.items():
            found.update(self._read(name, sorted(wanted)))
        return found

    def put(self, keys: Sequence[bytes], rows: Sequence[Stored]) -> None:
        """Store rows as one file.

        Raises:
            StoreError: No space, or no right to write.
        """
        digest = hashlib.sha256(b"".join(keys)).hexdigest()[:16]
        target = self.folder / f"{digest}.safetensors"
        beside = self.folder / f"{digest}.{os.getpid()}-{secrets.token_hex(4)}.part"
        tensors: dict[str, NDArray[Any]] = {
            "keys": np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), -1),
            "states": np.stack([row.states for row in rows]),
            "cut": np.array([row.cut for row in rows], np.int64),
            "tokens": np.array([row.tokens for row in rows], np.int64),
        }
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            save_file(tensors, beside)
            beside.replace(target)
        except (OSError, SafetensorError) as error:
            with suppress(OSError):
                beside.unlink()
            raise self._unwritable(error) from error
        self._enter(target.name, keys)

    def _look(self) -> None:
        """Take note of files that were not there before."""
        if not self.folder.is_dir():
            return
        for file in sorted(self.folder.iterdir()):
            if file.suffix == ".part" and not self._known:
                _remove_stale(file)
            if file.suffix != ".safetensors" or file.name in self._known:
                continue
            try:
                with safe_open(file, "numpy") as opened:
                    keys = opened.get_tensor("keys")
            except (OSError, SafetensorError):
                continue  # gone or broken: its rows are computed again
            self._enter(file.name, [row.tobytes() for row in keys])

    def _enter(self, name: str, keys: Sequence[bytes]) -> None:
        self._known.add(name)
        self._places.update({key: (name, row) for row, key in enumerate(keys)})

    def _read(self, name: str, wanted: Sequence[tuple[int, bytes]]) -> dict[bytes, Stored]:
        """Rows of one file, neighbours in one stroke."""
        found: dict[bytes, Stored] = {}
        try:
            with safe_open(self.folder / name, "numpy") as opened:
                cut, tokens = opened.get_tensor("cut"), opened.get_tensor("tokens")
                states = opened.get_slice("states")
                for start, keys in _runs(wanted):
                    block = states[start : start + len(keys)]
                    for place, key in enumerate(keys):
                        row = start + place
                        found[key] = Stored(block[place].copy(), int(cut[row]), int(tokens[row]))
        except (OSError, SafetensorError):
            self._known.discard(name)
            for _, key in wanted:
                self._places.pop(key, None)
            return {}
        return found

    def _unwritable(self, error: Exception) -> StoreError:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = "no space left on the disk" if full else f"cannot be written ({error})"
        return StoreError(
            f"{self.folder}: {what}; set PROMPTKIT_HOME to a folder on another disk, or remove "
            "old features, which can be computed again"
        )


def _runs(wanted: Sequence[tuple[int, bytes]]) -> Iterator[tuple[int, list[bytes]]]:
    """Sorted rows as stretches without a gap: the first row of each, and its keys."""
    start, keys = wanted[0][0], [wanted[0][1]]
    for row, key in wanted[1:]:
        if row == start + len(keys):
            keys.append(key)
        else:
            yield start, keys
            start, keys = row, [key]
    yield start, keys


def _remove_stale(file: Path) -> None:
    with suppress(OSError):  # another process may be quicker
        if time.time() - file.stat().st_mtime > _STALE:
            file.unlink()
