"""Finished blocks of answered rows, a file each: there whole, or not at all."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from promptkit.errors import StoreError
from promptkit.runs.files import translated

FOLDER = "blocks"
#: Files of one folder: file systems get slow where a folder holds many.
_IN_FOLDER = 1000
#: How often a block is begun before it is taken to be what ends its workers.
MOST_TRIES = 3
LOADING = "loading"


@dataclass(frozen=True)
class Head:
    """What a block holds; the first line of its file.

    Args:
        rows: How many.
        problems: Why rows have no answer, and how many.
        cut: Rows whose text was too long to be read whole.
        digest: Of the rows as they were read.
        key: Of the predictor that answered them.
        size: Bytes that follow the line.
        tries: How often it was begun.
    """

    rows: int
    problems: Mapping[str, int]
    cut: int
    digest: str
    key: str
    size: int
    tries: int = 1


class Blocks:
    """The blocks of one job, numbered from 0.

    Args:
        partial: The folder of the job, which all workers see.
    """

    def __init__(self, partial: Path) -> None:
        self._folder, self._tries = partial / FOLDER, partial / "tries"

    def begin(self) -> dict[int, Head]:
        """Sweep up what killed workers left, and say which blocks are finished."""
        with translated(self._folder):
            self._folder.mkdir(exist_ok=True)
            self._tries.mkdir(exist_ok=True)
            for file in self._tries.iterdir():
                file.unlink()
            found = {}
            for file in self._folder.glob("*/*"):
                if file.suffix:  # half written
                    file.unlink()
                else:
                    head, opened = self.open(int(file.name))
                    opened.close()
                    found[int(file.name)] = head
        return found

    def none(self) -> bool:
        """Whether a call has begun here and finished no block."""
        return self._folder.is_dir() and not any(
            not file.suffix for file in self._folder.glob("*/*")
        )

    def tried(self, number: int) -> int:
        """Note that a block is begun; how often it has been, with this time.

        The note outlives the worker, whatever ends it.
        """
        return self._noted(str(number))

    def loading(self) -> int:
        """Note that a worker begins to load the model; how many have, and none has done it."""
        return self._noted(LOADING)

    def loaded(self) -> None:
        """Note that a worker has loaded it."""
        (self._tries / LOADING).unlink(missing_ok=True)

    def _noted(self, name: str) -> int:
        note = self._tries / name
        with translated(note), note.open("ab") as file:
            file.write(b"+")
            file.flush()
            return file.tell()

    def put(self, number: int, head: Head, body: bytes) -> None:
        """Keep a finished block; another worker may do the same with the same block."""
        file = self._file(number)
        beside = file.with_name(f"{file.name}.{socket.gethostname()}-{os.getpid()}")
        with translated(file):
            file.parent.mkdir(exist_ok=True)
            with beside.open("wb") as opened:
                opened.write(json.dumps(asdict(head)).encode() + b"\n")
                opened.write(body)
                opened.flush()
                os.fsync(opened.fileno())
            beside.replace(file)
            (self._tries / str(number)).unlink(missing_ok=True)

    def open(self, number: int) -> tuple[Head, BinaryIO]:
        """What a block holds, and its file at the place where that begins.

        Raises:
            StoreError: It is not there, or shorter than it says.
        """
        file = self._file(number)
        try:
            opened = file.open("rb")
        except OSError as error:
            raise self._broken(file, error.strerror or "no file") from error
        try:
            head = Head(**json.loads(opened.readline()))
            whole = os.fstat(opened.fileno()).st_size == opened.tell() + head.size
        except (OSError, ValueError, TypeError) as error:
            opened.close()
            raise self._broken(file, "its first line is none of ours") from error
        if not whole:
            opened.close()
            raise self._broken(file, "it is cut short")
        return head, opened

    def _broken(self, file: Path, why: str) -> StoreError:
        return StoreError(
            f"{file}: a finished block cannot be read ({why}); delete it, and run the same "
            "command again"
        )

    def _file(self, number: int) -> Path:
        return self._folder / f"{number // _IN_FOLDER:06d}" / f"{number:09d}"
