"""Chance that depends on names alone, for many rows at once.

`ranker` hashes one name after the other, which takes 40 milliseconds for 100,000 of them; here
each row is hashed once, and each query stirs those numbers anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from promptkit.chance import ranker

__all__ = ["Lots", "ranker"]

# SplitMix64 (Steele et al., 2014): shifts and odd factors that let each bit change all others.
_STIRS = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
_LAST_SHIFT = np.uint64(31)
#: A float holds 53 bits without rounding.
_SPARE_BITS = np.uint64(11)


class Lots:
    """Draws a number for each row, for each query other ones.

    A row's number depends on the seed, the query's id and the row's own name: a new row gets its
    place, and all others keep their order.

    Args:
        seed: Seed.
        names: What the rows are called.
    """

    def __init__(self, seed: int, names: Iterable[str]) -> None:
        self.seed = seed
        words = b"".join(_digest(name)[:8] for name in names)
        self._rows = np.frombuffer(words, "<u8").astype(np.uint64)

    def drawn(self, query_id: str, places: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """A number in [0, 1) for each row, or for the rows at some places alone."""
        rows = self._rows if places is None else self._rows[places]
        first, second = np.frombuffer(_digest(f"{self.seed}/{query_id}/")[:16], "<u8")
        # Twice, with two words of the query: after one round, two queries whose words differ in
        # few bits would still order some pairs of rows alike.
        stirred = _stirred(_stirred(rows ^ np.uint64(first)) ^ np.uint64(second))
        lots: NDArray[np.float64] = (stirred >> _SPARE_BITS).astype(np.float64) * 2.0**-53
        return lots


def _stirred(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The numbers, which are overwritten, each turned into one that looks like chance."""
    for shift, factor in _STIRS:
        numbers ^= numbers >> shift
        numbers *= factor
    numbers ^= numbers >> _LAST_SHIFT
    return numbers


def _digest(name: str) -> bytes:
    # lone surrogates, which JSON files can hold, are hashed as they are
    return hashlib.sha256(name.encode(errors="surrogatepass")).digest()
