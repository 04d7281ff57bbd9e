"""Near-duplicates: candidates by MinHash and locality-sensitive hashing, each compared exactly.

Two texts are compared by the Jaccard similarity of their character 5-grams, after case, space and
punctuation are folded (Broder, 1997). MinHash only finds who is worth comparing; a pair counts
when its own similarity, computed exactly, reaches the threshold.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from promptkit.errors import MissingExtra, SpecError

#: Characters of a shingle.
WIDTH = 5
#: Hash functions of a signature.
PERMUTATIONS = 128
#: Share of the pairs just at the threshold that become candidates.
FOUND = 0.98
#: Texts of one bucket that a text is compared with; more say the same.
BUCKET = 24
#: Characters of a text that are compared; a book is not compared whole.
READ = 20_000
#: Texts after which progress is told.
_EVERY = 500


@dataclass(frozen=True)
class Pair:
    """Two texts that are nearly the same.

    Args:
        text: The place of the later one.
        other: The place of the earlier one.
        similarity: Jaccard similarity of their shingles, from 0 to 1.
    """

    text: int
    other: int
    similarity: float


def check_near(threshold: float) -> None:
    """Refuse a threshold that cannot be, and say what to install.

    Raises:
        SpecError: Not from 0.5 to 1.
        MissingExtra: datasketch is not installed.
    """
    if not 0.5 <= threshold <= 1:
        raise SpecError(f"--near {threshold}: give a similarity from 0.5 to 1, or none")
    if find_spec("datasketch") is None:
        raise MissingExtra(
            "near-duplicates need datasketch; pip install 'promptkit[check]', or say --near none"
        )


def near_pairs(
    texts: Sequence[str],
    threshold: float,
    *,
    seed: int = 0,
    on_text: Callable[[int], None] = lambda done: None,
) -> Iterator[Pair]:
    """For each text, the earlier ones that it is nearly the same as; of very many, the first ones.

    Args:
        texts: Folded texts, all different; an empty one is like none.
        threshold: From which similarity on.
        seed: Of the hash functions: the same seed, the same pairs.
        on_text: Called with the number of texts done.

    Raises:
        SpecError, MissingExtra: As `check_near`.
    """
    check_near(threshold)
    bands, width = bands_for(threshold)
    signature = _signer(seed)
    buckets: list[dict[bytes, list[int]]] = [{} for _ in range(bands)]
    shingles_at = lru_cache(maxsize=4096)(lambda place: shingles(texts[place]))
    for place, text in enumerate(texts):
        if place % _EVERY == 0:
            on_text(place)
        if not text:
            continue
        own = shingles_at(place)
        values = signature(own)
        candidates: dict[int, None] = {}
        for band, bucket in enumerate(buckets):
            key = values[band * width : (band + 1) * width].tobytes()
            there = bucket.setdefault(key, [])
            candidates |= dict.fromkeys(there)
            if len(there) < BUCKET:
                there.append(place)
        for other in candidates:
            similarity = jaccard(own, shingles_at(other))
            if similarity >= threshold:
                yield Pair(place, other, similarity)


def bands_for(threshold: float) -> tuple[int, int]:
    """How a signature is cut for its buckets: as many bands of so many hashes.

    The widest bands (that is, the fewest candidates) by which a pair just at the threshold is
    still a candidate 98 times in 100: two texts of similarity s share a band of r hashes with
    probability s^r, and one of b bands with 1 - (1 - s^r)^b.
    """
    width = 1
    for more in range(2, PERMUTATIONS + 1):
        if 1 - (1 - threshold**more) ** (PERMUTATIONS // more) < FOUND:
            break
        width = more
    return PERMUTATIONS // width, width


def shingles(text: str) -> frozenset[str]:
    """The character 5-grams of a text; of a shorter one, itself."""
    text = text[:READ]
    return frozenset(text[at : at + WIDTH] for at in range(max(1, len(text) - WIDTH + 1)))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """What two sets share, of all that either holds."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def _signer(seed: int) -> Callable[[frozenset[str]], Any]:
    from datasketch import MinHash

    # one draw of hash functions for all texts; crc32 has the 32 bits that they take
    empty = MinHash(num_perm=PERMUTATIONS, seed=seed, hashfunc=zlib.crc32)
    fresh = empty.hashvalues.copy()

    def signature(found: frozenset[str]) -> Any:
        empty.hashvalues = fresh
        # half a surrogate pair has no UTF-8
        empty.update_batch([one.encode("utf-8", "surrogatepass") for one in found])
        return empty.hashvalues

    return signature
