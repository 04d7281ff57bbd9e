"""The layers that strategy ``features`` chooses against always the last layer, on public data.

    python bench/layers.py DATA [--rows 64] [--draws 5] [--test 1000] [--data cr trec ...]

DATA is a folder with a folder for each data set. Accuracy on the first test rows, mean over draws
of so many training rows a label.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from promptkit.data import load, sample
from promptkit.metrics import evaluate
from promptkit.strategies.features import Features
from promptkit.strategies.reading import Reading
from promptkit.types import Example

SETS = ("cr", "trec", "tweet_sentiment", "sst2")
VARIANTS: dict[str, dict[str, Any]] = {
    "last": {"layers": -1, "pooling": "mean"},
    "one": {"layers": "one"},
    "block": {},
    "all": {"layers": "all", "pooling": "mean"},
    "mix": {"layers": "mix", "pooling": "mean"},
}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--data", nargs="+", default=SETS)
    parser.add_argument("--model", default="minilm")
    options = parser.parse_args()
    print(
        "| data | last layer | one, chosen | block, chosen (default) | all, side by side | "
        "trained mean | the one was | seconds |"
    )
    print("|---|---:|---:|---:|---:|---:|---|---:|")
    for name in options.data:
        print(measured(options.folder / name, options), flush=True)


def measured(folder: Path, options: argparse.Namespace) -> str:
    """One row of the table."""
    train, test = rows_of(folder, "train"), rows_of(folder, "test")[: options.test]
    labels = sorted({row.label for row in train})
    found: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    chosen: Counter[str] = Counter()
    took = []
    for seed in range(options.draws):
        drawn = sample(train, options.rows * len(labels), seed)
        for variant, own in VARIANTS.items():
            strategy = Features(labels, Reading(("text",)), model=options.model, **own)
            strategy.states.pooled([strategy.reading(row) for row in drawn], ("mean", "cls"))
            started = time.perf_counter()
            strategy.fit(drawn)
            took.append(time.perf_counter() - started if variant == "block" else 0.0)
            if variant == "one":
                chosen[f"{strategy.layers_[0]} {strategy.pooling_}"] += 1
            found[variant].append(accuracy(strategy, test, labels))
    cells = " | ".join(f"{np.mean(found[variant]):.3f}" for variant in VARIANTS)
    views = ", ".join(f"{view} ({times})" for view, times in chosen.most_common())
    return f"| {folder.name} | {cells} | {views} | {sum(took) / options.draws:.2f} |"


def rows_of(folder: Path, split: str) -> list[Example]:
    """The rows of a split that have a text; a few have none."""
    rows = load(folder, split=split).examples
    return [row for row in rows if str(row.fields["text"]).strip()]


def accuracy(strategy: Features, test: Sequence[Example], labels: Sequence[Any]) -> float:
    """Share of rows with the right label."""
    predicted = strategy.predict(test)
    return float(evaluate([row.label for row in test], predicted, labels).find("accuracy").value)


if __name__ == "__main__":
    main()
