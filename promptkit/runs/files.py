"""Files that a killed process, a full disk or a second process cannot spoil."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from promptkit.errors import StoreError


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    beside = file.with_name(f"{file.name}.new")
    with beside.open("w", encoding="utf-8") as opened:
        json.dump(content, opened, ensure_ascii=True, indent=1)
        opened.flush()
        os.fsync(opened.fileno())
    beside.replace(file)


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


def whole_lines(file: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a file; one that a killed process left half written ends it."""
    with file.open("rb") as opened:
        for line in opened:
            if not line.endswith(b"\n"):
                return
            try:
                yield json.loads(line)
            except ValueError:
                return


def append_text(file: Path, text: str) -> None:
    """Add whole lines to a file; on disk when this returns.

    Half a line at its end, of a process that was killed, goes first: what is added to it would be
    no line either.
    """
    with file.open("ab+") as opened:
        opened.truncate(_end_of_lines(opened))
        opened.write(text.encode())
        opened.flush()
        os.fsync(opened.fileno())


def _end_of_lines(opened: BinaryIO) -> int:
    """Where the last whole line ends."""
    end = opened.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 65536)
        opened.seek(start)
        found = opened.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def cut_after(file: Path, n: int) -> None:
    """Keep the first n lines of a file."""
    with file.open("rb+") as opened:
        for _ in range(n):
            opened.readline()
        opened.truncate(opened.tell())


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make a folder and hold its lock; a second process is refused.

    Raises:
        StoreError: Another process writes there, or the folder cannot be written.
    """
    with translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("a+")
    try:
        _lock(lock, folder)
        yield
    finally:
        lock.close()


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
def translated(folder: Path) -> Iterator[None]:
    """Turn what the disk says into one line.

    Raises:
        StoreError: No space, or no right to write.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreError(
                f"{folder}: no space left on the disk; the rows stored so far are kept: free some "
                "space and run the same command again, or set PROMPTKIT_HOME to another disk"
            ) from error
        raise StoreError(
            f"{folder}: cannot be written ({error.strerror}); what is stored so far is kept: set "
            "PROMPTKIT_HOME to a folder that can"
        ) from error
