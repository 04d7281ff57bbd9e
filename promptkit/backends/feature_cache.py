"""Pooled hidden states that were computed before: in memory up to a bound, and on disk.

A text is known by a hash of its pieces, the weights by theirs; number format, pooling and the
version of transformers stand beside them in the name of the folder.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from promptkit.backends.afresh import may_know, note
from promptkit.backends.feature_shards import Shards, Stored
from promptkit.types import Text

#: Bytes of hidden states that are held in memory.
REMEMBERED = 512 * 2**20


def features_home() -> Path:
    """Where features are kept: ``features`` below ``.promptkit`` or PROMPTKIT_HOME."""
    return Path(os.environ.get("PROMPTKIT_HOME", ".promptkit")) / "features"


def text_key(text: Text) -> bytes:
    """Sixteen bytes that name a text; which of its pieces came out of a row is part of it."""
    digest = hashlib.sha256()
    for piece in text:
        encoded = piece.text.encode("utf-8", "surrogatepass")
        digest.update(b"%d:%d:" % (piece.row, len(encoded)))
        digest.update(encoded)
    return digest.digest()[:16]


class FeatureCache:
    """Rows by pooling and text.

    Args:
        folder: Where they are kept on disk; None keeps them in memory alone.
        name: What names the model and its number format: the start of the folders' names.
        remembered: Bytes that are held in memory; what was used longest ago goes first.
    """

    def __init__(self, folder: Path | None, name: str, remembered: int = REMEMBERED) -> None:
        self.folder, self.name, self.remembered = folder, name, remembered
        self._rows: OrderedDict[tuple[str, bytes], Stored] = OrderedDict()
        self._held = 0
        self._shards: dict[str, Shards] = {}

    def get(self, pooling: str, keys: Sequence[bytes]) -> dict[bytes, Stored]:
        """What is known of these texts."""
        keys = [key for key in keys if may_know(self, (pooling, key))]
        found = {}
        for key in keys:
            row = self._rows.get((pooling, key))
            if row is not None:
                self._rows.move_to_end((pooling, key))
                found[key] = row
        rest = [key for key in keys if key not in found]
        if rest and self.folder is not None:
            stored = self._on_disk(self.folder, pooling).get(rest)
            self._remember(pooling, stored)
            found.update(stored)
        return found

    def put(self, pooling: str, rows: dict[bytes, Stored], on_disk: bool = True) -> None:
        """Keep rows in memory, and on disk where there is a folder and it is asked for.

        Raises:
            StoreError: The disk does not take them.
        """
        note(self, ((pooling, key) for key in rows))
        self._remember(pooling, rows)
        if on_disk and rows and self.folder is not None:
            self._on_disk(self.folder, pooling).put(list(rows), list(rows.values()))

    def _remember(self, pooling: str, rows: dict[bytes, Stored]) -> None:
        for key, row in rows.items():
            old = self._rows.pop((pooling, key), None)
            self._held += row.states.nbytes - (old.states.nbytes if old else 0)
            self._rows[pooling, key] = row
        while self._held > self.remembered and self._rows:
            _, gone = self._rows.popitem(last=False)
            self._held -= gone.states.nbytes

    def _on_disk(self, folder: Path, pooling: str) -> Shards:
        if pooling not in self._shards:
            self._shards[pooling] = Shards(folder / f"{self.name}-{pooling}")
        return self._shards[pooling]
