"""Variance of accuracies over rows and over draws of the training rows, apart and together.

Each of D draws of the training rows makes a model, and each model predicts the same n rows. Rows
and draws are both samples, crossed with each other:

    right[d, i] = accuracy + row[i] + draw[d] + both[d, i]
    variance of the mean = var(row) / n + var(draw) / D + var(both) / (n D)

Averaging over all n D cells as if they were independent would forget the first two. The same
layout, readers of cases in place of draws, is at home in radiology (Obuchowski and Rockette 1995).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from promptkit.metrics.rows import Floats
from promptkit.metrics.student import quantile


@dataclass(frozen=True)
class TwoWay:
    """What rows and draws each add to the variance of m means (numbers, or covariances (m, m)).

    Args:
        rows: Variance of the mean over rows, draws held fixed: ``var(row)/n + var(both)/(nD)``.
        draws: Variance over draws, rows held fixed: ``var(draw)/D + var(both)/(nD)``; None for a
            single draw, from which nothing can be learned about others.
        both: ``var(both)/(nD)``, which is in either; 0 for a single draw.
        n: Rows.
        n_draws: Draws.
    """

    rows: Floats
    draws: Floats | None
    both: Floats
    n: int
    n_draws: int

    def total(self) -> tuple[Floats, float]:
        """Variance of the means over all that is sampled, and its degrees of freedom.

        It is the sum of three parts: rows beyond ``both``, draws beyond ``both``, and ``both``. No
        part may turn negative by chance, so that the variance is never below that over rows alone.

        The usual degrees of freedom (Satterthwaite 1946) trust a small variance over three draws
        as much as a large one; a test at 5% then calls equals different in up to 8%. Instead
        each part brings its own quantile of t, as in Cochran's solution of the Behrens-Fisher
        problem (Cochran 1964), and df is what gives the same reach at 95%.
        """
        if self.draws is None:
            return self.rows, float(self.n - 1)
        by_row = _positive(self.rows - self.both)
        by_draw = _positive(self.draws - self.both)
        parts = [
            (float(np.trace(by_row + self.both)), self.n - 1),
            (float(np.trace(by_draw)), self.n_draws - 1),
        ]
        return by_row + by_draw + self.both, cochran_df(parts)


def two_way(values: ArrayLike) -> TwoWay:
    """Take the variance of m means over (D, n) cells apart.

    Args:
        values: (m, D, n) a number for each of m entries, D draws and n rows, such as 1 for right
            and 0 for wrong. Draw d of every entry must be the same training rows.

    Raises:
        ValueError: There are not three axes, fewer than two rows, no draw, or no finite values.
    """
    cells = np.asarray(values, dtype=np.float64)
    if cells.ndim != 3 or not np.isfinite(cells).all():
        raise ValueError("values must be finite numbers of shape (entries, draws, rows)")
    _, n_draws, n = cells.shape
    if n < 2 or n_draws < 1:
        raise ValueError(f"a variance needs two rows and a draw, not {n} and {n_draws}")
    by_row = cells.mean(axis=1)
    rows = _covariance(by_row) / n
    if n_draws == 1:
        return TwoWay(rows, None, np.zeros_like(rows), n, 1)
    by_draw = cells.mean(axis=2)
    grand = by_row.mean(axis=1)
    rest = cells - by_row[:, None, :] - by_draw[:, :, None] + grand[:, None, None]
    both = np.einsum("adi,bdi->ab", rest, rest) / ((n - 1) * (n_draws - 1)) / (n * n_draws)
    return TwoWay(rows, _covariance(by_draw) / n_draws, both, n, n_draws)


def cochran_df(parts: list[tuple[float, int]]) -> float:
    """Degrees of freedom of a sum of variances, each estimated with its own.

    Args:
        parts: Each part's variance, and the degrees of freedom of its estimate.

    Returns:
        Between the smallest and the largest df of the parts that are above 0; the largest df of
        all where none is.
    """
    from scipy.special import stdtridf

    counted = [(part, df) for part, df in parts if part > 0]
    dfs = [df for _, df in counted] or [max(df for _, df in parts)]
    if min(dfs) == max(dfs):
        return float(dfs[0])
    total = sum(part for part, _ in counted)
    reach = sum(part / total * quantile(0.975, df) ** 2 for part, df in counted) ** 0.5
    return min(max(float(stdtridf(0.975, reach)), float(min(dfs))), float(max(dfs)))


def _covariance(values: Floats) -> Floats:
    """(m, m) covariance of (m, n) values."""
    centred = values - values.mean(axis=1, keepdims=True)
    return np.asarray(centred @ centred.T / (values.shape[1] - 1))


def _positive(matrix: Floats) -> Floats:
    """The nearest covariance matrix: negative variances along any direction become 0."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray((vectors * np.maximum(values, 0)) @ vectors.T)
