"""The smallest difference in accuracy that a comparison can show, to be known before it runs.

"Can show" means: if the true difference is this large, the test at 5% finds it in 80 of 100 runs.
Each design has its own test, and so its own answer. All rest on an assumption about noise that
only the run itself can replace: the share of *discordant* rows, on which one of two entries is
right and the other wrong. The default of 0.2 is what two entries of accuracy 0.8 show whose
errors correlate at about 0.4 (``2 * 0.8 * 0.2 * (1 - 0.4) = 0.19``); entries that are more alike,
two sizes of one encoder for instance, disagree on fewer rows, and smaller differences show.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, sqrt

import numpy as np

from promptkit.metrics.resampled import variance_factor
from promptkit.metrics.rows import Ints
from promptkit.metrics.student import quantile
from promptkit.metrics.two_way import cochran_df

DISCORDANT = 0.2

#: Standard deviation, over draws of the training rows, of the difference between two entries.
RETRAINING = 0.02

ALPHA, POWER = 0.05, 0.8


def detectable_on_rows(
    n: int, *, discordant: float = DISCORDANT, alpha: float = ALPHA, power: float = POWER
) -> float | None:
    """What McNemar's exact test can show between two fitted models, on n test rows.

    Where the difference is larger than the assumed share of discordant rows, just so many rows are
    taken to be discordant as make the difference.

    Args:
        n: Test rows.
        discordant: Share of rows on which one is right and the other wrong.
        alpha: Level of the two-sided test.
        power: Probability of finding the difference.

    Returns:
        A difference in accuracy, or None where even winning on every row would not show.

    Raises:
        ValueError: A number is out of its range.
    """
    _check(discordant, alpha, power)
    if n < 1:
        raise ValueError(f"a test set has one row or more, not {n}")
    return _smallest(
        lambda difference: power_on_rows(n, difference, discordant=discordant, alpha=alpha), power
    )


def power_on_rows(
    n: int, difference: float, *, discordant: float = DISCORDANT, alpha: float = ALPHA
) -> float:
    """Probability that McNemar's exact test finds this difference on n rows; exact as well."""
    from scipy.special import bdtr

    differing = max(discordant, abs(difference))
    if differing == 0:
        return 0.0
    rows, chance = _likely(n, differing)
    most = _critical(rows, alpha)
    wins = (1 + abs(difference) / differing) / 2
    # Either side may be found; the wrong one hardly ever is.
    found = np.where(most >= 0, bdtr(most, rows, 1 - wins) + bdtr(most, rows, wins), 0.0)
    return float((found * chance).sum())


def detectable_over_draws(
    n: int,
    n_draws: int,
    *,
    discordant: float = DISCORDANT,
    retraining: float = RETRAINING,
    alpha: float = ALPHA,
    power: float = POWER,
) -> float | None:
    """What the t-test over n test rows and D >= 2 draws can show between two ways of fitting.

    Rows are taken to be as discordant in the mean of the draws as in one of them, which is on the
    safe side.

    Args:
        n: Test rows, two or more.
        n_draws: Draws of the training rows, two or more.
        discordant: Share of rows on which one entry is right and the other wrong.
        retraining: Standard deviation over draws of the difference, rows held fixed.
        alpha: Level of the two-sided test.
        power: Probability of finding the difference.

    Returns:
        A difference in accuracy, or None where no difference is large enough.

    Raises:
        ValueError: A number is out of its range.
    """
    _check(discordant, alpha, power)
    if n < 2 or n_draws < 2 or not (retraining >= 0 and isfinite(retraining)):
        raise ValueError(f"not rows, draws and a deviation: {n}, {n_draws}, {retraining}")
    parts = [(discordant / n, n - 1), (retraining**2 / n_draws, n_draws - 1)]
    return _by_t(sqrt(sum(part for part, _ in parts)), cochran_df(parts), alpha, power)


def detectable_by_folds(
    n_folds: int,
    *,
    n_train: float,
    n_test: float,
    discordant: float = DISCORDANT,
    fold_variance: float | None = None,
    alpha: float = ALPHA,
    power: float = POWER,
) -> float | None:
    """What the corrected resampled t-test can show between two ways of fitting.

    Args:
        n_folds: Folds of all repeats, two or more.
        n_train: Training rows of a fold.
        n_test: Held-out rows of a fold.
        discordant: Share of rows on which one entry is right and the other wrong.
        fold_variance: Variance between folds of the difference; ``discordant / n_test`` if None,
            which is that of the held-out rows, without any retraining noise.
        alpha: Level of the two-sided test.
        power: Probability of finding the difference.

    Returns:
        A difference in accuracy, or None where no difference is large enough.

    Raises:
        ValueError: A number is out of its range.
    """
    _check(discordant, alpha, power)
    factor = variance_factor(n_folds, n_train=n_train, n_test=n_test)
    variance = discordant / n_test if fold_variance is None else fold_variance
    if n_folds < 2 or not (variance > 0 and isfinite(variance)):
        raise ValueError(f"two folds or more and a variance above 0, not {n_folds}, {variance}")
    return _by_t(sqrt(variance * factor), n_folds - 1, alpha, power)


def _by_t(error: float, df: float, alpha: float, power: float) -> float | None:
    """The difference that a t-test with this standard error finds as often as wanted."""
    from scipy.special import nctdtr

    critical = quantile(1 - alpha / 2, df)
    return _smallest(lambda d: 1 - float(nctdtr(df, d / error, critical)), power)


def _smallest(power_of: Callable[[float], float], power: float) -> float | None:
    """The smallest difference of this power, to a ten-thousandth; power grows with difference."""
    low, high = 0.0, 1.0
    if power_of(high) < power:
        return None
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if power_of(middle) >= power else (middle, high)
    return high


def _likely(n: int, share: float) -> tuple[Ints, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """Numbers of discordant rows that are not out of the question, and their probabilities."""
    from scipy.special import bdtr

    reach = 9 * sqrt(n * share * (1 - share)) + 9
    rows = np.arange(max(0, int(n * share - reach)), min(n, int(n * share + reach)) + 1)
    upto = bdtr(rows, n, share)
    return rows, np.diff(upto, prepend=0.0)


def _critical(rows: Ints, alpha: float) -> Ints:
    """The most wins of the weaker one with which McNemar's test still finds something; or -1."""
    from scipy.special import bdtr, bdtrik

    with np.errstate(invalid="ignore"):
        guess = np.nan_to_num(np.floor(bdtrik(alpha / 2, rows, 0.5)), nan=-1.0)
    most = np.minimum(guess + 1, rows)
    # The inverse is a real number, exact to rounding: step down until the tail is small enough.
    for _ in range(3):
        tail = np.where(most >= 0, bdtr(np.maximum(most, 0), rows, 0.5), 0.0)
        most = np.where(2 * tail > alpha, most - 1, most)
    return np.asarray(most, dtype=np.int64)


def _check(discordant: float, alpha: float, power: float) -> None:
    if not (0 < discordant <= 1 and 0 < alpha < 1 and 0 < power < 1):
        raise ValueError(
            f"discordant, alpha and power lie between 0 and 1: {discordant}, {alpha}, {power}"
        )
