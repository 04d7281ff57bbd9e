"""Chance that depends on names alone.

`random.sample` over a list depends on the list's order and length: one row more changes every
draw. Ranking by a hash of (seed, query, row) does not: a new row enters a draw or does not, and all
other rows keep their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable


def ranker(seed: int, query_id: str) -> Callable[[str], bytes]:
    """The function that ranks names: ``sha256(f"{seed}/{query_id}/{name}")``.

    Its values are uniform and, for another query or seed, independent ones. Lone surrogates, which
    JSON files can hold, are hashed as they are.
    """
    start = hashlib.sha256(f"{seed}/{query_id}/".encode(errors="surrogatepass"))

    def rank(name: str) -> bytes:
        digest = start.copy()
        digest.update(name.encode(errors="surrogatepass"))
        return digest.digest()

    return rank
