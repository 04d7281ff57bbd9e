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
    k = len(confusion)
    gold, predicted = np.nonzero(confusion)
    n = confusion.sum()
    share = confusion[gold, predicted] / n
    hit = np.flatnonzero(gold == predicted)
    hits = np.zeros((resamples, k))
    support = np.zeros((resamples, k))
    by_prediction = np.zeros((resamples, k + 1))
    by_gold_indicator = np.eye(k)[gold]
    by_prediction_indicator = np.eye(k + 1)[predicted]
    for part in _parts(resamples, len(share)):
        drawn = rng.multinomial(n, share, size=part.stop - part.start).astype(np.float64)
        hits[part, gold[hit]] = drawn[:, hit]
        support[part] = drawn @ by_gold_indicator
        by_prediction[part] = drawn @ by_prediction_indicator
    return Margins(hits, support, by_prediction[:, :-1])


def resampled_means(columns: Floats, rng: np.random.Generator, resamples: int) -> Floats:
    """(resamples, m) means of (n, m) columns over rows drawn with replacement."""
    n = len(columns)
    means = np.zeros((resamples, columns.shape[1]))
    for part in _parts(resamples, n):
        count = part.stop - part.start
        drawn = rng.integers(n, size=(count, n), dtype=np.int32)
        flat = (drawn + np.arange(count, dtype=np.int64)[:, None] * n).ravel()
        weights = np.bincount(flat, minlength=count * n).reshape(count, n)
        means[part] = weights.astype(np.float64) @ columns / n
    return means


def _parts(resamples: int, width: int) -> list[slice]:
    """Slices of the resamples that hold about `CHUNK` numbers each."""
    step = max(1, CHUNK // max(1, width))
    return [slice(at, min(at + step, resamples)) for at in range(0, resamples, step)]
