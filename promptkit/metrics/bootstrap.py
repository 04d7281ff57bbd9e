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
    k, n = len(confusion), confusion.sum()
    gold, predicted = np.nonzero(confusion)
    share = confusion[gold, predicted] / n
    # np.nonzero lists the cells row by row; `across` lists the same cells column by column.
    across = np.argsort(predicted, kind="stable")
    rows, row_starts = np.unique(gold, return_index=True)
    cols, col_starts = np.unique(predicted[across], return_index=True)
    hit = np.flatnonzero(gold == predicted)
    hits, support, columns = (np.zeros((resamples, width)) for width in (k, k, k + 1))
    for part in _parts(resamples, len(share)):
        drawn = rng.multinomial(n, share, size=part.stop - part.start)
        hits[part, gold[hit]] = drawn[:, hit]
        support[part, rows] = np.add.reduceat(drawn, row_starts, axis=1)
        columns[part, cols] = np.add.reduceat(drawn[:, across], col_starts, axis=1)
    return Margins(hits, support, columns[:, :-1])


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
