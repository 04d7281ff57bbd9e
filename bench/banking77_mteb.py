"""Sentence features and logistic regression on Banking77, the way MTEB measures an encoder.

    python bench/banking77_mteb.py DATA/banking77 [--draws 10] [--rows 8]

MTEB (Muennighoff et al. 2023) draws 8 training rows a label, without replacement, ten times, fits
scikit-learn's logistic regression on the encoder's vectors with at most 100 steps, and reports the
mean accuracy on all test rows: 0.8004 for all-MiniLM-L6-v2. Its draws are its own; these are
seeded draws of the same kind.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from pathlib import Path

import numpy as np

from promptkit.data import load
from promptkit.strategies.features import Features
from promptkit.strategies.reading import Reading
from promptkit.types import Example

#: The vector of a sentence encoder, and scikit-learn's penalty as it comes (C = 1).
AS_MTEB = {"layers": -1, "pooling": "mean", "scaling": "unit", "regularisation": 1.0}


def main() -> None:
    """Print the accuracy of each draw, their mean and deviation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--rows", type=int, default=8)
    options = parser.parse_args()
    train = list(load(options.folder, split="train").examples)
    test = load(options.folder, split="test").examples
    labels = sorted({str(row.label) for row in train})
    print("| features | mean accuracy | deviation | draws |\n|---|---:|---:|---:|")
    for name, own in (("as MTEB has them", AS_MTEB), ("chosen", {})):
        found = []
        for seed in range(options.draws):
            strategy = Features(labels, Reading(("text",)), **own)
            strategy.fit(drawn(train, options.rows, seed))
            predicted = strategy.predict(test)
            right = [p.label == row.label for p, row in zip(predicted, test, strict=True)]
            found.append(float(np.mean(right)))
        print(f"| {name} | {np.mean(found):.4f} | {np.std(found):.4f} | {len(found)} |", flush=True)


def drawn(train: list[Example], n: int, seed: int) -> list[Example]:
    """The first n rows of each label in a shuffled order."""
    shuffled = list(train)
    random.Random(seed).shuffle(shuffled)
    taken: Counter[object] = Counter()
    kept = []
    for row in shuffled:
        if taken[row.label] < n:
            kept.append(row)
            taken[row.label] += 1
    return kept


if __name__ == "__main__":
    main()
