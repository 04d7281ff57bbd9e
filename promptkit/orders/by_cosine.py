"""Shots by their likeness to the query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import SpecError
from promptkit.protocols import CanEncode
from promptkit.row_text import text_of
from promptkit.types import Example

#: One text embedded in two batches differs in the last bits, which must not decide an order.
_DECIMALS = 6


class ByCosine:
    """Compares embeddings of a query and its shots.

    Args:
        encoder: Embeds texts into vectors of length one.
        order: Who asks, for the message.

    Raises:
        SpecError: There is no encoder.
    """

    def __init__(self, encoder: CanEncode | None, order: str) -> None:
        if encoder is None:
            raise SpecError(f"order {order!r} needs an encoder: something that embeds texts")
        self._encoder = encoder
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def prepare(self, rows: Iterable[Example]) -> None:
        """Embed many rows at once, each text once; those of earlier calls are let go."""
        texts = dict.fromkeys(text_of(row) for row in rows)
        self._vectors = {text: self._vectors[text] for text in texts if text in self._vectors}
        self._embed(texts)

    def ranked(self, query: Example, shots: Sequence[Example]) -> list[Example]:
        """The shots, the highest cosine with the query first; ties go to the lower id."""
        if not shots:
            return []
        asked, texts = text_of(query), [text_of(shot) for shot in shots]
        self._embed([asked, *texts])
        wide = self._vectors[asked].astype(np.float64)
        likeness = [round(float(self._vectors[text] @ wide), _DECIMALS) for text in texts]
        pairs = sorted(zip(likeness, shots, strict=True), key=lambda pair: (-pair[0], pair[1].id))
        return [shot for _, shot in pairs]

    def _embed(self, texts: Iterable[str]) -> None:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            self._vectors.update(zip(new, self._encoder.encode(new), strict=True))
