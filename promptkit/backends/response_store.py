"""Answers of models on disk: one SQLite file, safe under several processes.

Write-ahead logging lets one process write while others read; a writer waits for another. A process
that is killed leaves nothing half written. A file that is damaged is set aside, not repaired: an
answer that cannot be trusted is worse than one that has to be asked for again.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeVar

from promptkit.backends.file_systems import network_file_system
from promptkit.errors import StoreError, nearest

T = TypeVar("T")

FILE = "responses.sqlite"
#: How it is moved elsewhere; part of every message about a place that will not do.
MOVES = "--cache-folder DIR or PROMPTKIT_CACHE moves the response cache, --no-cache goes without it"
#: Seconds that a writer waits for another.
PATIENCE = 30.0
_VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS models (
    id INTEGER PRIMARY KEY, digest BLOB UNIQUE NOT NULL, model TEXT NOT NULL,
    backend TEXT NOT NULL, identity TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY, model INTEGER NOT NULL REFERENCES models(id), answer BLOB NOT NULL,
    checksum INTEGER NOT NULL, made REAL NOT NULL) WITHOUT ROWID;
"""
#: SQLite's codes of a file that is broken, or that is none of ours (no such table).
_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


class _Damaged(Exception):
    """What is stored of an answer does not match its checksum."""


@dataclass(frozen=True)
class Served:
    """Whose answers they are.

    Args:
        digest: Names the model, how it is served and the template.
        model: As the user calls it.
        backend: Name of the backend.
        identity: What the digest was made of, as JSON.
    """

    digest: bytes
    model: str
    backend: str
    identity: str


@dataclass(frozen=True)
class Held:
    """What is held of one model by one backend.

    Args:
        model: As the user calls it.
        backend: Name of the backend.
        n: Answers.
        n_bytes: Bytes of the answers.
        first: When the oldest was written, in seconds since 1970.
        last: When the newest was written.
    """

    model: str
    backend: str
    n: int
    n_bytes: int
    first: float
    last: float


def responses_home() -> Path:
    """Where answers are kept: PROMPTKIT_CACHE, or ``cache`` below ``.promptkit`` or PROMPTKIT_HOME.

    An empty PROMPTKIT_CACHE counts as none.
    """
    own = os.environ.get("PROMPTKIT_CACHE")
    return Path(own) if own else Path(os.environ.get("PROMPTKIT_HOME", ".promptkit")) / "cache"


class Responses:
    """The answers in one folder.

    Args:
        folder: Where the file lies; need not exist before the first answer is written.
        warn: Told in one line when a damaged file was set aside.

    Raises:
        StoreError: The folder is on a network file system, where locks do not hold.
    """

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        self.folder, self.path, self.warn = folder, folder / FILE, warn
        self._connection: sqlite3.Connection | None = None
        self._opened: int | None = None
        self._lock = threading.Lock()
        kind = network_file_system(folder)
        if kind is not None:
            raise StoreError(
                f"{folder} is on a network file system ({kind}), where SQLite's locks do not hold: "
                f"{MOVES}"
            )

    def __del__(self) -> None:
        self.close()

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The answers that are known.

        Raises:
            StoreError: The file cannot be read.
        """
        if not self.path.is_file():
            return {}

        def found(connection: sqlite3.Connection) -> dict[bytes, bytes]:
            answers = {}
            for key in keys:
                query = "SELECT answer, checksum FROM answers WHERE key = ?"
                row = connection.execute(query, (key,)).fetchone()
                if row is not None:
                    if zlib.crc32(row[0]) != row[1]:
                        raise _Damaged("an answer does not match its checksum")
                    answers[key] = row[0]
            return answers

        return self._do(found)

    def put(self, served: Served, answers: Mapping[bytes, bytes]) -> None:
        """Keep answers; a second one for the same key replaces the first.

        Raises:
            StoreError: No space, no right to write, or another writer that does not end.
        """
        now = time.time()

        def written(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                connection.execute(
                    "INSERT OR IGNORE INTO models (digest, model, backend, identity) "
                    "VALUES (?, ?, ?, ?)",
                    (served.digest, served.model, served.backend, served.identity),
                )
                (model,) = connection.execute(
                    "SELECT id FROM models WHERE digest = ?", (served.digest,)
                ).fetchone()
                connection.executemany(
                    "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)",
                    [(key, model, text, zlib.crc32(text), now) for key, text in answers.items()],
                )

        self._do(written)

    def held(self) -> list[Held]:
        """What there is, by model and backend; the most answers first."""
        query = """
            SELECT models.model, backend, count(*), sum(length(answer)), min(made), max(made)
            FROM answers JOIN models ON models.id = answers.model
            GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"""
        if not self.path.is_file():
            return []
        return self._do(lambda connection: [Held(*row) for row in connection.execute(query)])

    @property
    def n_bytes(self) -> int:
        """Bytes on disk, the log included."""
        files = [self.path.with_name(FILE + end) for end in ("", "-wal")]
        return sum(file.stat().st_size for file in files if file.is_file())

    def clear(self, model: str | None = None, older_than: float | None = None) -> int:
        """Remove answers, and give their space back; returns how many.

        Args:
            model: Those of one model; of all by default.
            older_than: Those that were written so many days ago or earlier.

        Raises:
            StoreError: No answer of that model, or the file cannot be written.
        """
        known = list(dict.fromkeys(one.model for one in self.held()))
        if model is not None and model not in known:
            raise StoreError(f"{self.path}: no answers of model {model!r}; {nearest(model, known)}")
        if not known:
            return 0
        latest = time.time() - 86400 * older_than if older_than is not None else float("inf")

        def removed(connection: sqlite3.Connection) -> int:
            with _transaction(connection):
                query = """
                    DELETE FROM answers WHERE made <= ? AND (? IS NULL OR model IN
                    (SELECT id FROM models WHERE model = ?))"""
                n = connection.execute(query, (latest, model, model)).rowcount
                connection.execute(
                    "DELETE FROM models WHERE id NOT IN (SELECT DISTINCT model FROM answers)"
                )
            with suppress(sqlite3.OperationalError):  # another process reads: its space stays
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return n

        return self._do(removed)

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _do(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Do something with the file; a damaged one is set aside, and it is done with a new one."""
        with self._lock:
            for damaged_before in (False, True):
                try:
                    return action(self._open())
                except (sqlite3.Error, _Damaged) as error:
                    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
                    if code in _BROKEN and not damaged_before:
                        self._set_aside(error)
                        continue
                    raise StoreError(f"{self.path}: {_told(code, error)}: {MOVES}") from error
                except OSError as error:
                    raise StoreError(
                        f"{self.folder}: cannot be written ({error.strerror}): {MOVES}"
                    ) from error
        raise AssertionError("unreachable")

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        self.folder.mkdir(parents=True, exist_ok=True)
        # a backend may tell of answers from a thread of its own; `_lock` keeps them apart
        made = sqlite3.connect(
            self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            self._opened = self.path.stat().st_ino
            _with_log(made)
            (version,) = made.execute("PRAGMA user_version").fetchone()
            if version > _VERSION:
                raise StoreError(f"{self.path} was written by a newer promptkit: {MOVES}")
            if version < _VERSION:
                with _transaction(made):
                    for table in _TABLES.split(";")[:-1]:
                        made.execute(table)
                    made.execute(f"PRAGMA user_version = {_VERSION}")
        except BaseException:
            made.close()
            raise
        self._connection = made
        return made

    def _set_aside(self, error: Exception) -> None:
        """Give a damaged file another name, unless another process was quicker."""
        self.close()
        with closing((self.folder / f"{FILE}.lock").open("a")) as lock:
            _wait_for(lock)
            if not self.path.is_file() or self.path.stat().st_ino != self._opened:
                return
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
            aside = self.path.with_name(f"{FILE}.damaged-{stamp}-{os.getpid()}")
            for end in ("-wal", "-shm", ""):
                with suppress(FileNotFoundError):
                    self.path.with_name(FILE + end).rename(aside.with_name(aside.name + end))
        self.warn(f"{self.path} is damaged ({error}); it is now {aside.name}, and a new one begins")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Any:
    """All of it or nothing; waits for another writer at its start, where nothing is lost."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have rolled it back already
            connection.execute("ROLLBACK")
        raise


def _with_log(connection: sqlite3.Connection) -> None:
    """Write-ahead logging; two processes that begin one file at once do not wait by themselves."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
    # a killed process loses nothing; a power cut may lose the last answers, and nothing else
    connection.execute("PRAGMA synchronous = NORMAL")


def _wait_for(lock: IO[str]) -> None:
    with suppress(ImportError):  # Windows does not rename a file that is open
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)


def _told(code: int, error: Exception) -> str:
    if code in _FULL:
        return f"no space left on the disk, or the disk failed ({error})"
    if code == sqlite3.SQLITE_BUSY:
        return f"another process has been writing for {PATIENCE:g} seconds"
    return f"cannot be used ({error})"
