"""Evidence on disk: a search that was killed goes on where it stopped.

A search's folder is ``.promptkit/searches/<name>``, one for the rows and their labels; its
``evidence.jsonl`` holds a line for each chunk of prompts. A prompt is found by a key that names the
model and all that it reads, so that another search on the same rows takes up what it shares with
an earlier one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from promptkit.runs.files import append_text, locked, translated, whole_lines
from promptkit.types import Evidence

FILE = "evidence.jsonl"


@dataclass(frozen=True)
class Known:
    """What was answered to a prompt.

    Args:
        evidence: The answer.
        tokens: Its share of the prompt tokens of its chunk.
    """

    evidence: Evidence
    tokens: float


class Kept:
    """The answers of one search's folder.

    Args:
        name: Names rows and labels.
        root: ``.promptkit`` in the working folder by default, or the environment variable
            PROMPTKIT_HOME.
    """

    def __init__(self, name: str, root: str | Path | None = None) -> None:
        home = Path(root or os.environ.get("PROMPTKIT_HOME", ".promptkit"))
        self.folder = home / "searches" / name
        self._known: dict[str, Known] = {}
        self._old: set[str] = set()

    @contextmanager
    def open(self, *, fresh: bool = False) -> Iterator[Kept]:
        """Hold the folder and read what it has.

        Raises:
            StoreError: Another process works there, or it cannot be written.
        """
        file = self.folder / FILE
        with locked(self.folder):
            with translated(self.folder):
                if fresh:
                    file.unlink(missing_ok=True)
            for line in whole_lines(file) if file.is_file() else ():
                share = line["tokens"] / len(line["keys"])
                for key, one in zip(line["keys"], line["evidence"], strict=True):
                    self._known[key] = Known(Evidence.from_json(one), share)
            self._old = set(self._known)
            yield self

    def get(self, key: str) -> Known | None:
        """What is known, if it is."""
        return self._known.get(key)

    def is_old(self, key: str) -> bool:
        """Whether it was there before this search began."""
        return key in self._old

    def add(self, keys: Sequence[str], evidence: Sequence[Evidence], tokens: int) -> None:
        """Keep a chunk, whole or not at all; on disk when this returns.

        Raises:
            StoreError: No space, or no right to write; what was kept before stays.
        """
        line = {"keys": keys, "tokens": tokens, "evidence": [asdict(one) for one in evidence]}
        with translated(self.folder):
            append_text(self.folder / FILE, json.dumps(line, ensure_ascii=True) + "\n")
        for key, one in zip(keys, evidence, strict=True):
            self._known[key] = Known(one, tokens / len(keys))
