"""The binomial distribution, exactly: what guessing and disagreeing rows are measured against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from promptkit.metrics.rows import Floats


def binomial(n: int, p: float) -> Floats:
    """(n + 1,) probability of 0 to n successes in n trials."""
    if p <= 0 or p >= 1:
        certain = np.zeros(n + 1)
        certain[n if p >= 1 else 0] = 1
        return certain
    trials = np.arange(n + 1)
    # log n! by adding up logarithms: numpy has no lgamma for arrays.
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(trials[1:]))])
    log_ways = log_factorial[n] - log_factorial - log_factorial[::-1]
    return np.asarray(np.exp(log_ways + trials * np.log(p) + trials[::-1] * np.log1p(-p)))


def guesses(sizes: Iterable[int]) -> Floats:
    """(n + 1,) probability of 0 to n right ones, guessing each row's label uniformly.

    Rows with the same number of labels make a binomial; those of different sizes are convolved
    (a Poisson binomial), so that the result stays exact for rows with their own choices.
    """
    total = np.ones(1)
    for size, n in sorted(Counter(sizes).items()):
        total = convolve(total, binomial(n, 1 / size))
    return total


def central(probabilities: Floats, mass: float = 0.95) -> tuple[int, int]:
    """The two quantiles that leave ``(1 - mass) / 2`` outside on each side."""
    reached = np.cumsum(probabilities)
    tail = (1 - mass) / 2
    last = len(probabilities) - 1
    low, high = np.searchsorted(reached, [tail, 1 - tail])
    return min(int(low), last), min(int(high), last)


def convolve(first: Floats, second: Floats) -> Floats:
    """Distribution of a sum; skips the tails that are too thin to move a quantile."""
    total = np.zeros(len(first) + len(second) - 1)
    (left,), (right,) = np.nonzero(first > 1e-18), np.nonzero(second > 1e-18)
    a, b = slice(left[0], left[-1] + 1), slice(right[0], right[-1] + 1)
    middle = np.convolve(first[a], second[b])
    total[a.start + b.start : a.start + b.start + len(middle)] = middle
    return total
