"""Keys and values of tokens that went through a model, kept to go on from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import DynamicCache

#: (rows, heads, tokens, width) keys and values of each layer.
Kept = list[tuple[Any, Any]]


def kept_of(cache: Any) -> Kept:
    """What a cache of transformers holds.

    Raises:
        AttributeError: It holds something else than keys and values, as recurrent models do.
    """
    return [(layer.keys, layer.values) for layer in cache.layers]


def cache_of(kept: Kept) -> Any:
    """A cache of transformers that a model may add to; what is kept stays as it is."""
    return DynamicCache(kept) if kept else DynamicCache()


def rows_of(kept: Kept, which: Sequence[int], tokens: int | None = None) -> Kept:
    """Copies of some rows, of their first tokens where a number is given."""
    return [(row_copies(k[:, :, :tokens], which), row_copies(v[:, :, :tokens], which))
            for k, v in kept]  # fmt: skip


def row_copies(states: Any, which: Sequence[int]) -> Any:
    """(n, ...) rows of (rows, ...), some of them several times; of one alone nothing is copied."""
    if len(set(which)) > 1:
        return states[list(which)]
    return states[which[0] : which[0] + 1].expand(len(which), *states.shape[1:])


def row_bytes(kept: Kept) -> int:
    """What one row takes."""
    return sum(one[:1].numel() * one.element_size() for both in kept for one in both)
