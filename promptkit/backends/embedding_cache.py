"""Sentence embeddings that were computed before, kept where hidden states are kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from promptkit.backends.feature_cache import FeatureCache, text_key
from promptkit.backends.feature_shards import Stored
from promptkit.protocols import CanEncode
from promptkit.types import Piece

#: What the last part of the folder's name says, where hidden states name their pooling.
_KIND = "sentence"
#: Texts that are embedded and stored together: what a run that is cut off loses at most.
_CHUNK = 4096
#: Fewer new texts than this are embedded in a second, and not worth a file of their own.
_WORTH = 256
#: Bytes of vectors that are held in memory.
_REMEMBERED = 128 * 2**20


class KeptEncoder:
    """Embeds each text once: pools of demonstrations are the same in run after run.

    Args:
        encoder: What embeds.
        identity: Names all that its vectors hang on; with another name they are computed anew.
        folder: Where vectors are kept on disk; None keeps them in memory alone.
    """

    def __init__(self, encoder: CanEncode, identity: str, folder: Path | None) -> None:
        self.encoder = encoder
        self._cache = FeatureCache(folder, identity, _REMEMBERED)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, w) vectors of length one.

        Raises:
            StoreError: What was computed cannot be kept.
        """
        chunks = (texts[start : start + _CHUNK] for start in range(0, len(texts), _CHUNK))
        found = [self._encoded(chunk) for chunk in chunks]
        return np.concatenate(found) if found else np.empty((0, 0), np.float32)

    def _encoded(self, texts: Sequence[str]) -> NDArray[np.float32]:
        keys = [text_key((Piece(text, True),)) for text in texts]
        known = self._cache.get(_KIND, list(dict.fromkeys(keys)))
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            vectors = self.encoder.encode(list(missing.values()))
            fresh = {
                # a copy, so that one row does not hold on to its whole batch
                key: Stored(vector[None].copy(), 0, 0)
                for key, vector in zip(missing, vectors, strict=True)
            }
            self._cache.put(_KIND, fresh, on_disk=len(fresh) >= _WORTH)
            known.update(fresh)
        return np.stack([known[key].states[0] for key in keys])
