"""Contrastive tuning against the same encoder untouched, on training rows that neither has seen.

python bench/contrastive.py $DATA trec:192 sst2:64 --draw 2 epochs=8 loss=all_triplets
"""

from __future__ import annotations

import argparse
import ast
import random
import time
from pathlib import Path
from typing import Any

import numpy as np

from promptkit.data import load, sample
from promptkit.strategies.contrastive import Contrastive
from promptkit.strategies.reading import Reading
from promptkit.types import Example, label_key

#: A learning rate at which nothing moves.
UNTOUCHED = {"learning_rate": 1e-12, "epochs": 1}


def measured(
    train: list[Example], rest: list[Example], labels: list[Any], options: dict[str, Any]
) -> str:
    """Accuracy, mean log loss in nats, and what the fit took."""
    strategy = Contrastive(labels, Reading(("text",)), **options)
    started, cpu = time.perf_counter(), time.process_time()
    strategy.fit(train)
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    tokens = strategy.cost.computed_tokens
    predicted = strategy.predict(rest)
    pairs = list(zip(predicted, rest, strict=True))
    right = np.mean([label_key(p.label) == label_key(row.label) for p, row in pairs])
    loss = -np.mean([p.log_p[labels.index(row.label)] for p, row in pairs if p.log_p])
    return (
        f"accuracy {right:.3f}  log loss {loss:.3f}  {strategy.steps_} steps  {tokens:,} tokens  "
        f"{wall:.1f} s ({cpu:.1f} s of CPU)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("cells", nargs="+", help="name:rows, or option=value")
    parser.add_argument("--draw", type=int, default=2)
    parser.add_argument("--rest", type=int, default=1000, help="rows to predict")
    given = parser.parse_args()
    said = [word.split("=", 1) for word in given.cells if "=" in word]
    options = {name: _value(value) for name, value in said}
    for cell in (word for word in given.cells if "=" not in word):
        name, rows = cell.split(":")
        whole = load(given.data / name, split="train")
        train = sample(whole.examples, int(rows), given.draw)
        drawn = {row.id for row in train}
        rest = [row for row in whole.examples if row.id not in drawn]
        random.Random(given.draw).shuffle(rest)
        labels = list(whole.labels or sorted({row.label for row in whole.examples}, key=str))
        print(f"{name}, {len(train)} rows, draw {given.draw}")
        for title, own in (("untouched", UNTOUCHED), ("tuned", options)):
            print(f"  {title:10} {measured(train, rest[: given.rest], labels, own)}")


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


if __name__ == "__main__":
    main()
