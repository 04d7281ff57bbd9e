"""95% percentile intervals from resampled rows (Efron 1979, "Bootstrap methods").

Two facts make it fast. A metric that is a function of the confusion matrix needs no rows: drawing
n rows with replacement and counting them is a multinomial draw over the matrix's non-zero cells.
And every other metric here is a function of column means, so that resampling is one product of a
(resamples, n) matrix of row weights with the columns.

A percentile interval of a share has no width when all rows are right or all are wrong; read it
together with n.
"""

from __future__ import annotations

import numpy as np

from promptkit.metrics.classification import Margins
from promptkit.metrics.rows import Floats, Ints

Interval = tuple[float | None, float | None]

#: Numbers held at once while resampling; keeps a chunk within the processor's cache.
CHUNK = 1 << 18


def interval(values: Floats) -> Interval:
    """The 2.5th and 97.5th percentile; two None where nothing was resampled."""
    if not len(values):
        return None, None
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def centred_interval(values: Floats, value: float) -> Interval:
    """The same, moved so that the resampled mean lies on the metric's value, and kept above 0.

    For ECE: it sums absolute values, so that the noise of resampling can only add to it, and the
    plain interval lies too high. In a simulation with a true error of 0.05 and 200 rows, the
    plain interval held the truth in 83 of 100 runs, the moved one in 93; at 1000 rows and more
    they agree. Neither reaches down to a true error of 0: a binned ECE is never 0 on real rows.
    """
    if not len(values):
        return None, None
    low, high = interval(values - (values.mean() - value))
    return max(low or 0.0, 0.0), max(high or 0.0, 0.0)


def resampled_margins(confusion: Ints, rng: np.random.Generator, resamples: int) -> Margins:
    """(resamples, k) margins of confusion matrices of rows drawn with replacement."""
    gold, predicted = np.nonzero(confusion)
    counts = confusion[gold, predicted]
    found = _margins_of_patterns(counts, gold, predicted[None], len(confusion), rng, resamples)
    return Margins(found.hits[:, 0], found.support[:, 0], found.predicted[:, 0])


def resampled_together(
    gold: Ints, predicted: Ints, k: int, rng: np.random.Generator, resamples: int
) -> Margins:
    """The same for several predictions of the same rows: all of them get the same rows.

    Rows that have the same gold label and the same predictions are drawn as one pattern.

    Args:
        gold: (n,) index of each row's gold label.
        predicted: (D, n) index of the predicted one in draw d, k where there is none.
        k: How many labels there are.
        rng: Where rows are drawn from.
        resamples: How often.

    Returns:
        Margins of shape (resamples, D, k).
    """
    patterns, counts = np.unique(np.vstack([gold, predicted]), axis=1, return_counts=True)
    return _margins_of_patterns(counts, patterns[0], patterns[1:], k, rng, resamples)


def _margins_of_patterns(
    counts: Ints, gold: Ints, predicted: Ints, k: int, rng: np.random.Generator, resamples: int
) -> Margins:
    """(resamples, D, k) margins; (p,) patterns of rows with their counts, predicted is (D, p)."""
    n, shape = counts.sum(), (resamples, len(predicted), k)
    hits, support, columns = np.zeros(shape), np.zeros(shape), np.zeros((*shape[:2], k + 1))
    for part in _parts(resamples, len(counts)):
        drawn = rng.multinomial(n, counts / n, size=part.stop - part.start)
        support[part] = _sums(drawn, gold, k)[:, None]
        for draw, labels in enumerate(predicted):
            hit = np.flatnonzero(gold == labels)
            hits[part, draw] = _sums(drawn[:, hit], gold[hit], k)
            columns[part, draw] = _sums(drawn, labels, k + 1)
    return Margins(hits, support, columns[..., :-1])


def _sums(drawn: Ints, group: Ints, width: int) -> Floats:
    """(resamples, width) sums of the columns of (resamples, p) that belong to one group."""
    sums = np.zeros((len(drawn), width))
    if len(group):
        # reduceat adds neighbours, so that the columns of a group must lie side by side.
        order = np.argsort(group, kind="stable")
        names, starts = np.unique(group[order], return_index=True)
        sums[:, names] = np.add.reduceat(drawn[:, order], starts, axis=1)
    return sums


def resampled_means(columns: Floats, rng: np.random.Generator, resamples: int) -> Floats:
    """(resamples, m) means of (n, m) columns over rows drawn with replacement."""
    n = len(columns)
    means = np.zeros((resamples, columns.shape[1]))
    by_column = np.ascontiguousarray(columns.T)
    for part in _parts(resamples, n):
        count = part.stop - part.start
        drawn = rng.integers(n, size=(count, n), dtype=np.int32)
        flat = (drawn + np.arange(count, dtype=np.int64)[:, None] * n).ravel()
        weights = np.bincount(flat, minlength=count * n).reshape(count, n)
        # einsum, not @: the threads of BLAS take ten times as long over many small products on a
        # machine whose cores are shared, and its sums differ with the number of threads.
        means[part] = np.einsum("rn,mn->rm", weights.astype(np.float64), by_column) / n
    return means


def _parts(resamples: int, width: int) -> list[slice]:
    """Slices of the resamples that hold about `CHUNK` numbers each."""
    step = max(1, CHUNK // max(1, width))
    return [slice(at, min(at + step, resamples)) for at in range(0, resamples, step)]
