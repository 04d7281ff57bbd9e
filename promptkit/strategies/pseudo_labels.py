"""Which rows without a label are given one, by how sure a model is of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def confident(
    log_p: NDArray[np.float64], threshold: float, most: Sequence[int], names: Sequence[str]
) -> list[tuple[int, int]]:
    """Rows that a model is sure enough of, as (row, label), in the order of the rows.

    Of each label these are the rows with the highest probabilities, and no more than a limit of its
    own: otherwise the label that the model prefers takes most rows, and is preferred the more for
    it (class-balanced self-training, Zou et al. 2018).

    >>> log_p = np.log([[0.9, 0.1], [0.95, 0.05], [0.6, 0.4], [0.1, 0.9]])
    >>> confident(log_p, 0.8, [1, 1], ["a", "b", "c", "d"])
    [(1, 0), (3, 1)]

    Args:
        log_p: (n, k) log-probabilities of the labels.
        threshold: The least probability of a row's label.
        most: (k,) rows that each label is given at most.
        names: (n,) a name of each row, which decides between rows of one probability.
    """
    best = log_p.argmax(1)
    sure = log_p[np.arange(len(log_p)), best]
    order = sorted(np.flatnonzero(np.exp(sure) >= threshold), key=lambda i: (-sure[i], names[i]))
    given = [0] * len(most)
    chosen = []
    for row in order:
        label = int(best[row])
        if given[label] < most[label]:
            given[label] += 1
            chosen.append((int(row), label))
    return sorted(chosen)
