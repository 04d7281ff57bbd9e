"""Who works on a comparison, and on which cell: processes that share a folder and nothing else.

Each worker has a file in ``workers`` that it touches every few seconds. A worker is gone when its
file is, when it has not been touched for long, or when it ran on this machine and its process has
ended. Who will compute a cell creates ``claims/<cell>.0``, which one alone can do; where the owner
of the last claim is gone, the next one is ``<cell>.1``. So a cell is computed by one worker at a
time, on one machine or many, and one that was killed leaves its cell to the others. It needs a
file system that creates a file for one of two who ask at once: local ones, NFS from version 3,
Lustre.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from promptkit.runs.files import translated

#: Seconds between two signs of life.
BEAT = 5.0
#: Seconds without one after which a worker elsewhere counts as gone.
GONE = 60.0


class Workers:
    """The workers of one folder, this one among them.

    Args:
        folder: The comparison's.

    Attributes:
        me: Name of this worker.
    """

    def __init__(self, folder: Path) -> None:
        self._workers, self._claims = folder / "workers", folder / "claims"
        self.me = f"{_safe(socket.gethostname())}-{os.getpid()}-{secrets.token_hex(4)}"
        self._mine = self._workers / f"{self.me}.json"

    @contextmanager
    def present(self) -> Iterator[None]:
        """Be one of them inside.

        Raises:
            StoreError: The folder cannot be written.
        """
        with translated(self._workers):
            for folder in (self._workers, self._claims):
                folder.mkdir(parents=True, exist_ok=True)
            self._mine.write_text(json.dumps(_process()), encoding="utf-8")
        stop = threading.Event()
        beating = threading.Thread(target=self._beat, args=(stop,), daemon=True)
        beating.start()
        try:
            yield
        finally:
            stop.set()
            beating.join()
            self._mine.unlink(missing_ok=True)

    def others(self) -> list[str]:
        """Names of the other workers that are there."""
        names = [file.stem for file in self._workers.glob("*.json") if file != self._mine]
        return [name for name in sorted(names) if self._lives(name)]

    def here(self) -> list[str]:
        """Those of the others that run on this machine."""
        host = f"{_safe(socket.gethostname())}-"
        return [name for name in self.others() if name.startswith(host)]

    def claim(self, cell: str) -> bool:
        """Take a cell, unless another worker that is there has it."""
        stem = hashlib.sha256(cell.encode()).hexdigest()[:20]
        taken = [int(file.suffix[1:]) for file in self._claims.glob(f"{stem}.*")]
        attempt = max(taken, default=-1)
        if attempt >= 0 and self._is_held(self._claims / f"{stem}.{attempt}"):
            return False
        with translated(self._claims):
            try:
                opened = os.open(
                    self._claims / f"{stem}.{attempt + 1}", os.O_CREAT | os.O_EXCL | os.O_WRONLY
                )
            except FileExistsError:
                return False
            try:
                os.write(opened, self.me.encode())
            finally:
                os.close(opened)
        return True

    def forget_claims(self) -> None:
        """Let go of all claims: for a comparison that is computed anew."""
        for file in self._claims.glob("*"):
            file.unlink(missing_ok=True)

    def _is_held(self, claim: Path) -> bool:
        """Whether who made a claim is there; a name that is still being written is waited for."""
        try:
            owner = claim.read_text(encoding="utf-8")
            return self._lives(owner) if owner else self._age(claim) <= GONE
        except OSError:
            return True  # it has just been let go of: ask again

    def _lives(self, name: str) -> bool:
        """Whether a worker is there."""
        file = self._workers / f"{name}.json"
        try:
            told, age = file.read_text(encoding="utf-8"), self._age(file)
        except OSError:
            return False
        if age > GONE:
            return False
        try:
            process = json.loads(told)
        except ValueError:
            return True  # it is being written
        mine = _process()
        if process["host"] != mine["host"]:
            return True
        return bool(_started(int(process["pid"])) == process["started"])

    def _age(self, file: Path) -> float:
        """Seconds since a file was touched, by the clock that this worker's own file shows.

        The machines' clocks may differ; where files lie on a server, its clock stamps them all.
        """
        return self._mine.stat().st_mtime - file.stat().st_mtime

    def _beat(self, stop: threading.Event) -> None:
        while not stop.wait(BEAT):
            with suppress(OSError):
                os.utime(self._mine)


def _process() -> dict[str, object]:
    pid = os.getpid()
    return {"host": socket.gethostname(), "pid": pid, "started": _started(pid)}


def _started(pid: int) -> str | None:
    """When a process of this machine began, as the system says; None where there is none.

    The number of a process that has ended is given to another one in time.
    """
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return _alive(pid)
    state, *_, started = told[told.rfind(")") + 2 :].split()[:20]
    return None if state in "ZX" else started


def _alive(pid: int) -> str | None:
    """Where there is no /proc: whether there is such a process at all."""
    if os.name == "nt":  # there, a signal of 0 would end it
        return "unknown"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return "unknown"


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)
