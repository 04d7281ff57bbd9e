"""Training batches in which every row meets rows of its own label and of others. Pure: no model.

A loss that compares all pairs of a batch needs both kinds of pairs in it. Rows are dealt out by
label in groups of a few, as Hermans et al. (2017) draw P labels with K rows each; but each row
comes exactly once an epoch, where they draw with replacement.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Rows of one label that stay together where the labels are too many for one batch.
GROUP = 2


def plan_batches(
    targets: Sequence[int], *, epochs: int, batch_size: int, seed: int
) -> list[list[int]]:
    """Places of the rows of every training step, epoch after epoch.

    Args:
        targets: (n,) the label of each row, as a number.
        epochs: How often each row is seen.
        batch_size: Rows of a batch; some are a little larger or smaller, so that no row is alone
            with its label where the label has two rows or more.
        seed: Another seed, another order.

    Returns:
        Batches. None of them lacks a pair of one label or a pair of two labels, unless the rows
        themselves do; batches that could teach nothing are left out.
    """
    random = np.random.default_rng(seed)
    labels = np.asarray(targets)
    batches: list[list[int]] = []
    for _ in range(epochs):
        batches += [
            batch for batch in _epoch(labels, batch_size, random) if _teaches(labels[batch])
        ]
    return batches


def _epoch(
    labels: NDArray[np.int64], batch_size: int, random: np.random.Generator
) -> list[list[int]]:
    """All rows once, in batches."""
    n_batches = max(1, round(len(labels) / batch_size))
    batches: list[list[int]] = [[] for _ in range(n_batches)]
    sizes = np.zeros(n_batches, int)
    # large labels first: the small ones then fill up what is uneven
    for label in _by_size(labels, random):
        rows = random.permutation(np.flatnonzero(labels == label))
        for group in _groups(rows, n_batches):
            # the emptiest batch, a random one among equals
            emptiest = np.flatnonzero(sizes == sizes.min())
            place = int(random.choice(emptiest))
            batches[place] += [int(row) for row in group]
            sizes[place] += len(group)
    return [batches[place] for place in random.permutation(n_batches) if batches[place]]


def _by_size(labels: NDArray[np.int64], random: np.random.Generator) -> list[int]:
    found, counts = np.unique(labels, return_counts=True)
    shuffled = random.permutation(len(found))
    return [int(found[i]) for i in sorted(shuffled, key=lambda i: -counts[i])]


def _groups(rows: NDArray[np.int64], n_batches: int) -> list[NDArray[np.int64]]:
    """One label's rows, split evenly over the batches, but into groups of no fewer than GROUP."""
    return np.array_split(rows, max(1, min(n_batches, len(rows) // GROUP)))


def _teaches(labels: NDArray[np.int64]) -> bool:
    """Whether a batch holds two rows of one label, and two labels."""
    _, counts = np.unique(labels, return_counts=True)
    return len(counts) > 1 and bool(counts.max() > 1)
