"""Seconds for large inputs: rows read, metrics computed, demonstrations chosen.

python bench/sizes.py
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from promptkit.data import load
from promptkit.metrics import evaluate
from promptkit.selectors import SELECTORS
from promptkit.types import Example, Prediction

N = 100_000


class Chance:
    """An encoder of random vectors: what is timed is the search."""

    def encode(self, texts: list[str]) -> Any:
        """(n, 384) unit vectors."""
        vectors = np.random.default_rng(0).normal(size=(len(texts), 384)).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of the fastest of three."""
    found = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return min(found)


def main() -> None:
    """Print a table."""
    print("| work | seconds |\n|---|---:|")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        body = "".join(f"a sentence of some length and number {i},{i % 3}\n" for i in range(N))
        file.write_text("text,label\n" + body)
        took = seconds(lambda: load(file, fields=("text",)))
        print(f"| read a CSV of {N:,} rows | {took:.2f} |")
    rng = np.random.default_rng(0)
    labels = tuple(f"intent {i}" for i in range(77))
    gold = [labels[i] for i in rng.integers(77, size=12_000)]
    flat = (float(-np.log(77)),) * 77
    predicted = [
        Prediction(str(i), labels[j], flat) for i, j in enumerate(rng.integers(77, size=12_000))
    ]
    took = seconds(lambda: evaluate(gold, predicted, labels))
    print(f"| metrics with intervals of 12,000 rows, 77 labels | {took:.2f} |")
    pool = [Example(f"r{i:06}", {"t": f"text {i} {i % 977}"}, i % 2) for i in range(N)]
    queries = [Example(f"q{i}", {"t": f"query {i}"}) for i in range(10)]
    for name in ("random", "balanced", "bm25", "nearest"):
        options = {"encoder": Chance()} if name == "nearest" else {}
        selector = SELECTORS.build(name, options).fit(pool)
        took = seconds(lambda selector=selector: [selector.select(query, 8) for query in queries])
        print(f"| 8 demonstrations from {N:,} rows by {name}, a query | {took / 10:.3f} |")


if __name__ == "__main__":
    main()
