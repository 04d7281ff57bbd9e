"""How far a score moves when only the way of asking does, and what moves it.

Runs over all combinations of the levels of some factors (templates, draws of demonstrations, label
orders) are a balanced layout, so that the variance between them falls apart exactly: a part for
each factor's level means, and the rest, which is what factors do together (Fisher 1925). That the
template, the demonstrations and the order of labels move a prompted model's accuracy by so much
that one run says little was measured by Zhao et al. (2021), Lu et al. (2022) and Sclar et al.
(2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Range:
    """A score over several runs, of which the highest is the best.

    Args:
        best: The highest value.
        median: The one in the middle; of an even number the mean of the two there.
        worst: The lowest value.
        mean: Arithmetic mean.
        sd: Standard deviation of a draw of such runs (over n - 1); 0 for a single one.
        iqr: From the first to the third quartile.
        n: How many values there were.
    """

    best: float
    median: float
    worst: float
    mean: float
    sd: float
    iqr: float
    n: int


@dataclass(frozen=True)
class Effect:
    """What one factor does by itself.

    Args:
        means: The score at each of its levels, averaged over all levels of the others.
        reach: Highest less lowest of them.
        share: Part of the variance between runs that they make; None where all runs are equal.
        by_chance: The part that levels which do nothing would make on average: a factor with more
            levels has more ways of seeming to matter.
    """

    means: tuple[float, ...]
    reach: float
    share: float | None
    by_chance: float


@dataclass(frozen=True)
class Parts:
    """The variance between runs, taken apart.

    Args:
        effects: One per factor.
        together: The part that factors make together and none makes by itself; None for a single
            factor, and where all runs are equal.
    """

    effects: tuple[Effect, ...]
    together: float | None


def range_of(values: ArrayLike) -> Range:
    """Best, median, worst and spread of at least one value.

    Raises:
        ValueError: There is no value.
    """
    seen = np.asarray(values, dtype=np.float64).ravel()
    if not seen.size:
        raise ValueError("no values to spread")
    first, median, third = np.percentile(seen, [25, 50, 75])
    return Range(
        best=float(seen.max()),
        median=float(median),
        worst=float(seen.min()),
        mean=float(seen.mean()),
        sd=float(seen.std(ddof=1)) if seen.size > 1 and np.ptp(seen) else 0.0,
        iqr=float(third - first),
        n=int(seen.size),
    )


def parts_of(values: ArrayLike) -> Parts:
    """Main effects of a full factorial layout.

    Args:
        values: The score of each run; an axis for each factor, a place on it for each level.

    Raises:
        ValueError: There is no axis, or one with a single level, which explains nothing.
    """
    cells = np.asarray(values, dtype=np.float64)
    if not cells.ndim or min(cells.shape) < 2:
        raise ValueError(f"each factor needs two levels, got the shape {cells.shape}")
    mean, all_equal = cells.mean(), bool(cells.max() == cells.min())
    total = ((cells - mean) ** 2).sum()
    effects = []
    for axis, n in enumerate(cells.shape):
        means = cells.mean(axis=tuple(other for other in range(cells.ndim) if other != axis))
        own = ((means - mean) ** 2).sum() * (cells.size / n)
        effects.append(
            Effect(
                means=tuple(means.tolist()),
                reach=0.0 if all_equal else float(np.ptp(means)),
                share=None if all_equal else float(own / total),
                by_chance=(n - 1) / (cells.size - 1),
            )
        )
    together = None
    if cells.ndim > 1 and not all_equal:
        # rounding may leave a sum of shares a hair above 1
        together = max(0.0, 1.0 - sum(effect.share or 0.0 for effect in effects))
    return Parts(tuple(effects), together)


def row_error(worth: ArrayLike) -> float | None:
    """Standard error of one run's score: how far it would move on n other rows.

    Args:
        worth: (runs, n) what each run scores on each row, such as 1 for right and 0 for wrong.

    Returns:
        The root of the mean over runs of ``var / n``; None for less than two rows.
    """
    cells = np.asarray(worth, dtype=np.float64)
    n = cells.shape[1]
    return sqrt(float(cells.var(axis=1, ddof=1).mean()) / n) if n > 1 else None


def chance_sd(worth: ArrayLike) -> float | None:
    """Standard deviation between runs that these rows would show if all were equally good.

    All runs answer the same rows, so that a hard row is hard for all of them and moves no run
    against another. What is left, rows that one run gets right and another wrong, moves them apart
    by chance: ``sqrt(var(run x row) / n)``, with the runs-by-rows interaction as in
    `promptkit.metrics.two_way`. Two runs that differ on a single row have next to none.

    Args:
        worth: (runs, n) as for `row_error`.

    Returns:
        None for less than two runs or two rows.
    """
    cells = np.asarray(worth, dtype=np.float64)
    runs, n = cells.shape
    if runs < 2 or n < 2:
        return None
    rest = cells - cells.mean(axis=0) - cells.mean(axis=1, keepdims=True) + cells.mean()
    return sqrt(float((rest**2).sum()) / ((runs - 1) * (n - 1)) / n)


def agreement(answers: NDArray[np.int64]) -> float:
    """Probability that two different runs, drawn at random, give a random row the same answer.

    Args:
        answers: (runs, n) a number for each answer; the same number, the same answer.

    Raises:
        ValueError: There are less than two runs, or no rows.
    """
    runs, n = answers.shape
    if runs < 2 or not n:
        raise ValueError(f"agreement is between two runs on some rows, got {answers.shape}")
    pairs = 0
    for row in answers.T:
        _, counts = np.unique(row, return_counts=True)
        pairs += int((counts * (counts - 1)).sum())
    return pairs / int(runs * (runs - 1) * n)


def unanimous(answers: NDArray[np.int64]) -> float:
    """Share of rows that all runs answer alike."""
    return float(np.mean((answers == answers[0]).all(axis=0)))


def changed(answers: NDArray[np.int64], axis: int) -> float:
    """Probability that a random row is answered otherwise when one factor alone changes its level.

    Scores can stay where they are while answers change: as many rows turn right as turn wrong.

    Args:
        answers: An axis for each factor, then n rows.
        axis: The factor.
    """
    pairs = combinations(range(answers.shape[axis]), 2)
    levels = [(answers.take(one, axis), answers.take(other, axis)) for one, other in pairs]
    return float(np.mean([(one != other).mean() for one, other in levels]))
