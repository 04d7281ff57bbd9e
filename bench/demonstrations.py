"""How long every selector takes on a pool of 100,000 made-up rows: fit, and a query.

    python bench/demonstrations.py [rows] [queries] [selector ...]

Vectors are random and cost nothing, so that the figures are those of the search alone.
"""

from __future__ import annotations

import sys
import time
from random import Random

import numpy as np

from promptkit.registry import parameters_of
from promptkit.selectors import SELECTORS
from promptkit.types import Example

WIDTH, SHOTS, LABELS, WORDS = 384, 8, 10, 5_000


class Chance:
    """Unit vectors that follow from the number of texts alone."""

    def encode(self, texts):
        vectors = np.random.default_rng(len(texts)).normal(size=(len(texts), WIDTH))
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def rows(n: int, prefix: str, seed: int) -> list[Example]:
    """Rows of twelve words each."""
    chance = Random(seed)
    found = []
    for number in range(n):
        text = " ".join(f"w{int(chance.random() ** 3 * WORDS)}" for _ in range(12))
        found.append(Example(f"{prefix}{number:06}", {"text": f"{text} {number}"}, number % LABELS))
    return found


def main(n: int, asked: int, names: list[str]) -> None:
    """Print a line for each selector."""
    pool, queries = rows(n, "r", 0), rows(asked, "q", 1)
    print(f"{n:,} rows, {LABELS} labels, {SHOTS} shots, {asked} queries")
    print(f"{'selector':<18}{'fit, s':>8}{'first, ms':>11}{'query, ms':>11}{'of many, ms':>13}")
    for name in names or list(SELECTORS):
        takes = parameters_of(SELECTORS.load(name))
        selector = SELECTORS.build(name, {"encoder": Chance()} if "encoder" in takes else {})
        start = time.perf_counter()
        selector.fit(pool)
        fitted = time.perf_counter() - start
        first = _each(selector, queries[:1], False)  # with what is computed once
        alone = _each(selector, queries[1 : asked // 2], False)
        together = _each(selector, queries[asked // 2 :], True)
        print(f"{name:<18}{fitted:>8.2f}{first:>11.2f}{alone:>11.2f}{together:>13.2f}", flush=True)


def _each(selector, queries, at_once: bool) -> float:
    """Milliseconds a query."""
    start = time.perf_counter()
    if at_once and hasattr(selector, "prepare"):
        selector.prepare(queries)
    for query in queries:
        selector.select(query, SHOTS)
    return 1000 * (time.perf_counter() - start) / len(queries)


if __name__ == "__main__":
    numbers = [int(one) for one in sys.argv[1:3]]
    main(*(numbers + [100_000, 128][len(numbers) :]), sys.argv[3:])
