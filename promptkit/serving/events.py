"""What the server tells whoever runs it: one line an event on standard error, no text of a row."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

Format = Literal["text", "json"]
#: What needs no quotation marks in a line of text.
_BARE = re.compile(r"[\w./:@+%*-]+", re.ASCII)


class Events:
    """Writes events.

    Args:
        form: ``text`` is ``key=value``, for people and programs alike; ``json`` an object a line.
        write: Takes a line with its end; standard error by default.
    """

    def __init__(self, form: Format = "text", write: Callable[[str], Any] | None = None) -> None:
        self.form = form
        self._write = write or _to_standard_error
        self._lock = threading.Lock()

    def __call__(self, event: str, level: str = "info", **facts: Any) -> None:
        """Tell one.

        Args:
            event: What happened, in a word.
            level: ``info``, ``warning`` or ``error``.
            facts: What else is known of it; None is left out.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told = {key: value for key, value in facts.items() if value is not None}
        if self.form == "json":
            line = json.dumps({"time": now, "level": level, "event": event, **told})
        else:
            line = " ".join([now, level, event, *(f"{k}={_shown(v)}" for k, v in told.items())])
        with self._lock:
            self._write(line + "\n")

    def take_over(self, name: str) -> None:
        """Tell what another package logs as warnings and errors, its tracebacks left out."""
        logger = logging.getLogger(name)
        logger.handlers = [_Forwarded(self)]
        logger.propagate = False
        logger.setLevel(logging.WARNING)


class _Forwarded(logging.Handler):
    def __init__(self, events: Events) -> None:
        super().__init__()
        self.events = events

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0] if record.exc_info else None
        self.events(
            "http", record.levelname.lower(), message=record.getMessage().strip(),
            error=kind.__name__ if kind else None,
        )  # fmt: skip


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if _BARE.fullmatch(text) else json.dumps(text)


def _to_standard_error(line: str) -> None:
    try:
        sys.stderr.write(line)
        sys.stderr.flush()
    except OSError:  # nobody reads it any more; that is no reason to stop answering
        pass
