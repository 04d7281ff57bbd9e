"""Two entries on one fixed test set, each fitted on the same D draws of the training rows.

With one draw this is McNemar's exact test, and speaks about the two fitted models only: nothing
in one draw tells how much another one would have changed. With several, two things are asked, and
the larger p-value counts (docs/decisions/0007):

* Is the difference more than chance over rows? Each row's difference, summed over the draws, has
  its sign flipped by a fair coin. The distribution is computed exactly, and for one draw it *is*
  McNemar's. It is right however few rows differ, and blind to the choice of training rows.
* Is it more than chance over rows and draws together? A t-test on the variance of `two_way`. It
  needs a fair number of rows that differ.

Pooling the n D cells into one McNemar test, as is often seen, takes D looks at a row for D rows,
and finds differences where there are none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from promptkit.metrics.binomial import binomial, convolve
from promptkit.metrics.difference import Difference, difference_of
from promptkit.metrics.rows import Ints
from promptkit.metrics.student import Student
from promptkit.metrics.two_way import two_way

#: Two rows in which one entry wins and loses by this much are added before variances are taken:
#: their squares add up to the half row in each cell of Agresti and Min 2005 ("Simple improved
#: confidence intervals for comparing matched proportions"). Entries that never differ on 50 rows
#: may still differ on the next; without the two rows their interval would have no width.
ADDED = float(np.sqrt(0.5))


def compare_draws(first: ArrayLike, second: ArrayLike) -> Difference:
    """Test whether two entries are equally accurate, and say how far apart they are.

    Args:
        first: (D, n) whether the first entry, fitted on draw d, is right on test row i. An
            unscored row is not right.
        second: (D, n) the same of the second, same draws and rows.

    Returns:
        ``over`` is "rows" for one draw, else "rows and draws". For two draws the test is rough:
        at a level of 5% it finds what is not there in up to 10% of runs, if retraining moves the
        accuracy by more than the rows do. Three draws and more keep the level (docs/log.md).

    Raises:
        ValueError: The shapes differ, there is no cell, or a cell is neither right nor wrong.
    """
    one, other = _cells(first), _cells(second)
    if one.shape != other.shape:
        raise ValueError(f"two entries of different shapes: {one.shape} and {other.shape}")
    cells = one - other
    n_draws, _ = cells.shape
    p_value = sign_flip(cells.sum(axis=0))
    added = np.tile([ADDED, -ADDED], (n_draws, 1))
    variance, df = two_way(np.hstack([cells, added])[None]).total()
    belief = Student(float(cells.mean()), float(np.sqrt(variance[0, 0])), df)
    if n_draws == 1:
        return difference_of(belief, test="McNemar, exact", over="rows", p_value=p_value)
    p_value = max(p_value, belief.p_value())
    return difference_of(
        belief, test="t over rows and draws, sign flips", over="rows and draws", p_value=p_value
    )


def sign_flip(sums: Ints) -> float:
    """Two-sided p-value of the sum of whole numbers whose signs are fair coins; exact.

    The sum is twice the weight of the heads minus all weight. Numbers of the same size make a
    binomial, and those of different sizes are convolved.

    Args:
        sums: (n,) each row's difference, summed over the draws.
    """
    sizes = np.bincount(np.abs(sums), minlength=1)
    weight = int((sizes * np.arange(len(sizes))).sum())
    chances = np.ones(1)
    for size, n in enumerate(sizes.tolist()):
        if size and n:
            spread = np.zeros(size * n + 1)
            spread[::size] = binomial(n, 0.5)
            chances = convolve(chances, spread)
    heads = (int(sums.sum()) + weight) // 2
    tail = float(chances[: min(heads, weight - heads) + 1].sum())
    return min(1.0, 2 * tail)


def _cells(right: ArrayLike) -> Ints:
    found = np.asarray(right)
    if found.ndim != 2 or not found.size or not np.isin(found, (0, 1)).all():
        raise ValueError("right must be of shape (draws, rows), and each cell right or wrong")
    return found.astype(np.int64)
