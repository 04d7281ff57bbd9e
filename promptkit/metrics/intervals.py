"""How good an entry is, with an interval that says what it covers.

The number meant is the accuracy to be expected of an entry that is fitted on *another* draw of as
many training rows, on *other* rows. An interval over test rows alone, which is what one draw
allows, speaks about the one fitted model: where retraining moves the accuracy more than the rows
do, it holds the number meant far less often than in 95 of 100 runs. So `Estimate.over` says which
it is.

All are score intervals (Wilson 1927) at the number of rows that would have the variance found
(Korn and Graubard 1998 for surveys), with a quantile of t: they stay between 0 and 1, and keep a
width where all is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from promptkit.metrics.bootstrap import resampled_together
from promptkit.metrics.classification import confusion_from, macro_f1, margins_of
from promptkit.metrics.difference import Over
from promptkit.metrics.resampled import smallest_variance, variance_factor
from promptkit.metrics.rows import UNSCORED, Floats, Ints
from promptkit.metrics.student import quantile
from promptkit.metrics.two_way import TwoWay, two_way


@dataclass(frozen=True)
class Estimate:
    """A metric of one entry, with its 95% interval.

    Args:
        metric: Its name.
        value: The mean over all draws or folds.
        low: Lower end of the interval; None for a single fold.
        high: Its upper end.
        error: Standard error over all that ``over`` names; None for a single fold.
        by_row: The part of it that other rows alone would make; None where it cannot be told
            apart, which is cross-validation.
        by_draw: The part that other draws of the training rows alone would make; None where it
            cannot be told apart, and for a single draw.
        df: Degrees of freedom of the interval; 0 for a single fold.
        over: What the interval covers.
        n: Rows of a fixed test set, or all rows that the folds were made of.
        n_draws: Draws of the training rows, or folds of all repeats.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    error: float | None
    by_row: float | None
    by_draw: float | None
    df: float
    over: Over
    n: int
    n_draws: int


def over_draws(right: ArrayLike) -> Estimate:
    """Accuracy on a fixed test set, for D draws of the training rows.

    Args:
        right: (D, n) whether the entry that was fitted on draw d is right on test row i.

    Raises:
        ValueError: There are fewer than two rows, or no draw.
    """
    cells = np.asarray(right, dtype=np.float64)
    return _over_draws("accuracy", float(cells.mean()), two_way(cells[None]))


def macro_f1_over_draws(
    gold: Ints, predicted: Ints, k: int, *, seed: int = 0, resamples: int = 1000
) -> Estimate:
    """Mean over D draws of macro-F1 on a fixed test set.

    The variance over rows comes from rows drawn with replacement, the same for all draws; over
    draws from the D values themselves.

    Args:
        gold: (n,) index of each row's gold label.
        predicted: (D, n) index of the predicted label, `UNSCORED` where there is none.
        k: How many labels there are.
        seed: Seed of the resampling, not negative.
        resamples: How many resamples, at least 2.

    Raises:
        ValueError: Shapes do not fit together, there is no cell, or too few resamples.
    """
    if predicted.ndim != 2 or gold.shape != predicted.shape[1:] or not predicted.size:
        raise ValueError(f"gold of shape {gold.shape}, predicted of shape {predicted.shape}")
    if resamples < 2:
        raise ValueError(f"a variance needs two resamples, not {resamples}")
    n_draws, n = predicted.shape
    across = np.where(predicted == UNSCORED, k, predicted)
    values = np.array([macro_f1(margins_of(confusion_from(gold, one, k))) for one in across])
    rng = np.random.default_rng([seed, 3])
    resampled = macro_f1(resampled_together(gold, across, k, rng, resamples))
    rows = float(resampled.mean(axis=1).var(ddof=1))
    if n_draws == 1:
        parts = TwoWay(_single(rows), None, _single(0.0), n, 1)
    else:
        # A draw's own variance over rows has var(both)/n in it, that of the mean only a Dth of it.
        alone = float(resampled.var(axis=0, ddof=1).mean())
        both = max(alone - rows, 0.0) / (n_draws - 1)
        draws = float(values.var(ddof=1)) / n_draws
        parts = TwoWay(_single(rows), _single(draws), _single(both), n, n_draws)
    return _over_draws("macro_f1", float(values.mean()), parts)


def over_folds(
    values: ArrayLike, *, n_train: float, n_test: float, metric: str = "accuracy"
) -> Estimate:
    """Mean over the J folds of (repeated) cross-validation, with the corrected variance.

    See `promptkit.metrics.resampled` for the correction; it is an approximation, and docs/log.md
    says how often such intervals hold the truth.

    Args:
        values: (J,) the metric of each fold, between 0 and 1.
        n_train: Training rows of a fold (their mean, where folds differ).
        n_test: Held-out rows of a fold (their mean).
        metric: Name of what was measured.

    Raises:
        ValueError: There is no fold, a value is not from 0 to 1, or a size is not above 0.
    """
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or not len(found) or not ((found >= 0) & (found <= 1)).all():
        raise ValueError("over_folds needs a value from 0 to 1 for each of one or more folds")
    n_folds, n, mean = len(found), round(n_train + n_test), float(found.mean())
    factor = variance_factor(n_folds, n_train=n_train, n_test=n_test)
    if n_folds == 1:
        return Estimate(metric, mean, None, None, None, None, None, 0, "folds", n, 1)
    between = max(float(found.var(ddof=1)), smallest_variance(n_folds, n_test))
    error = sqrt(between * factor)
    low, high = score_interval(mean, error, n_folds - 1, n)
    return Estimate(metric, mean, low, high, error, None, None, n_folds - 1, "folds", n, n_folds)


def score_interval(value: float, error: float, df: float, n: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share that has this standard error.

    Args:
        value: The share, from 0 to 1.
        error: Its standard error. A share of 0 or 1, or one without error, is taken to have been
            seen on n rows.
        df: Degrees of freedom of the error.
        n: Rows.
    """
    spread = value * (1 - value)
    rows = spread / error**2 if spread > 0 and error > 0 else float(n)
    reach = quantile(0.975, df) ** 2 / rows
    centre = (value + reach / 2) / (1 + reach)
    half = sqrt(reach * spread + reach**2 / 4) / (1 + reach)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def _over_draws(metric: str, value: float, parts: TwoWay) -> Estimate:
    variance, df = parts.total()
    error = sqrt(variance.item())
    return Estimate(
        metric,
        value,
        *score_interval(value, error, df, parts.n),
        error,
        sqrt(parts.rows.item()),
        None if parts.draws is None else sqrt(parts.draws.item()),
        df,
        "rows" if parts.draws is None else "rows and draws",
        parts.n,
        parts.n_draws,
    )


def _single(number: float) -> Floats:
    return np.array([[number]])
