"""Answering only where a model is sure: coverage against accuracy, and where to draw the line.

A row is answered where its confidence, the probability of its most probable label, lies *above* a
threshold. Coverage is the share of rows that are answered, risk the share of wrong ones among them
(El-Yaniv and Wiener 2010). A row without a prediction has no confidence and is never answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from promptkit.errors import DataError, SpecError
from promptkit.metrics.exact import lower_bound, rows_needed
from promptkit.metrics.rows import Floats
from promptkit.types import Prediction

#: Probability with which an accuracy is guaranteed.
LEVEL = 0.9
#: Shares of the rows that a guaranteed threshold may answer: each costs a little of the level.
TRIED = 10

Bools = NDArray[np.bool_]
Goal = Literal["accuracy", "empirical accuracy", "coverage"]


@dataclass(frozen=True)
class Curve:
    """Coverage against accuracy, from the fewest answered rows to all that can be.

    Rows of the same confidence are answered together or not at all.

    Args:
        lowest: (m,) confidence of the least confident row that is answered.
        coverage: (m,) share of all rows that are answered.
        accuracy: (m,) share of right ones among them.
        n: All rows.
    """

    lowest: Floats
    coverage: Floats
    accuracy: Floats
    n: int

    @property
    def aurc(self) -> float:
        """Area under risk against coverage (Geifman, Uziel and El-Yaniv 2019); 0 is best.

        The mean, over the rows, of the risk among rows that are at least as confident; NaN where
        there is no row.
        """
        if not len(self.coverage):
            return float("nan")
        share = np.diff(self.coverage, prepend=0.0)
        return float(((1 - self.accuracy) * share).sum() / self.coverage[-1])

    def at(self, coverage: float) -> tuple[float, float] | None:
        """Coverage and accuracy where at least so much is answered; None where so much cannot be.

        >>> coverage_curve([0.9, 0.8, 0.8, 0.6], [True, True, False, False]).at(0.5)
        (0.75, 0.6666666666666666)
        """
        enough = np.flatnonzero(self.coverage >= coverage - 1e-12)
        if not len(enough):
            return None
        return float(self.coverage[enough[0]]), float(self.accuracy[enough[0]])


@dataclass(frozen=True)
class Threshold:
    """Where the line is drawn: a row is answered where its confidence is above it.

    Args:
        above: The line; minus infinity answers every row that has a prediction, 1 none.
        goal: What it was chosen for.
        wanted: How much of it.
        n: Rows that it was chosen on.
        coverage: Share of them that it answers.
        accuracy: Share of right ones among those; None where none is answered.
        level: Probability with which the accuracy is guaranteed; None where it is not.
        bound: What it is guaranteed not to be below; None likewise.
        problem: Why nothing is answered; empty where something is.
    """

    above: float
    goal: Goal
    wanted: float
    n: int
    coverage: float
    accuracy: float | None
    level: float | None = None
    bound: float | None = None
    problem: str = ""

    def answers(self, confidence: ArrayLike) -> Bools:
        """(n,) whether each row is answered."""
        return np.asarray(np.asarray(confidence, np.float64) > self.above)


def confidences(predictions: Sequence[Prediction]) -> Floats:
    """(n,) probability of each row's most probable label; minus infinity where unscored.

    Raises:
        ValueError: A prediction rests on a bare decision; see `has_probabilities`.
    """
    found = np.full(len(predictions), -inf)
    for place, one in enumerate(predictions):
        if one.label is None:
            continue
        if one.log_p is None:
            raise ValueError(f"row {one.example_id!r} has no probabilities")
        found[place] = min(np.exp(max(one.log_p)), 1.0)
    return found


def has_probabilities(predictions: Sequence[Prediction]) -> bool:
    """Whether every prediction has probabilities; those of unscored rows are not asked for."""
    return all(one.log_p is not None for one in predictions if one.label is not None)


def coverage_curve(confidence: ArrayLike, right: ArrayLike) -> Curve:
    """The curve of n rows.

    Args:
        confidence: (n,) minus infinity for a row that cannot be answered.
        right: (n,) whether the prediction is right.

    Raises:
        ValueError: The shapes differ, or a confidence is not a number.
    """
    sure, hit = _read(confidence, right)
    order = np.argsort(-sure, kind="stable")
    sure, hit = sure[order], hit[order]
    # the last row of each run of equal confidences that can be answered at all
    ends = np.flatnonzero(np.append(sure[1:] != sure[:-1], True)) if len(sure) else sure
    ends = np.array([end for end in ends if sure[int(end)] > -inf], np.int64)
    answered = ends + 1
    accuracy = np.cumsum(hit)[ends] / answered
    return Curve(sure[ends], answered / max(len(sure), 1), accuracy, len(sure))


def abstain_threshold(
    confidence: ArrayLike,
    right: ArrayLike,
    wanted: float,
    goal: Goal = "accuracy",
    *,
    level: float = LEVEL,
) -> Threshold:
    """The lowest threshold that reaches what is wanted, on rows that were not learned from.

    ``accuracy``: with probability ``level`` over the rows, the accuracy to be expected of answered
    rows is at least the one wanted: selection with guaranteed risk (Geifman and El-Yaniv 2017).
    Thresholds that answer a tenth, two tenths ... of the rows are tried, each with its exact lower
    bound (Clopper and Pearson 1934) at a tenth of what may go wrong (Bonferroni), so that the
    lowest of those that pass may be taken. A line lies on the first row that is *not* answered:
    given that row, the rows above it are as good as newly drawn, and the bound is exact.

    ``empirical accuracy``: the accuracy on these very rows is at least the one wanted. Choosing the
    best of many thresholds flatters: expect a little less elsewhere.

    ``coverage``: at least that share of the rows is answered.

    Args:
        confidence: (n,) minus infinity for a row that cannot be answered.
        right: (n,) whether the prediction is right.
        wanted: Between 0 and 1.
        goal: What is wanted.
        level: Probability of the guarantee.

    Returns:
        A threshold; one that answers nothing, and says why, where none reaches what is wanted.

    Raises:
        SpecError: ``wanted`` or ``level`` is not between 0 and 1.
        DataError: There is no row.
    """
    if not (0 < wanted < 1 and 0 < level < 1):
        raise SpecError(f"{goal} {wanted:g} at level {level:g}: both must be between 0 and 1")
    sure, hit = _read(confidence, right)
    if not len(sure):
        raise DataError("an abstain threshold needs rows to be chosen on, and there is none")
    if goal == "accuracy":
        return _guaranteed(sure, hit, wanted, level)
    curve = coverage_curve(sure, hit)
    if goal == "coverage":
        reached = np.flatnonzero(curve.coverage >= wanted - 1e-12)[:1]
    else:
        reached = np.flatnonzero(curve.accuracy >= wanted)[-1:]
    if len(reached):
        # the line lies on the first row that is not answered
        line = np.append(curve.lowest[1:], -inf)[reached[0]]
        return _threshold(line, goal, wanted, sure, hit)
    if goal == "coverage":
        why = f"only {np.isfinite(sure).mean():.0%} of the rows have a prediction"
    else:
        why = f"no threshold reaches it on the {len(sure):,} rows; {_best(sure, hit)}"
    return _nothing(goal, wanted, len(sure), why)


def _guaranteed(sure: Floats, hit: Bools, wanted: float, level: float) -> Threshold:
    n, single = len(sure), 1 - (1 - level) / TRIED
    ordered = np.sort(sure)[::-1]
    best: Threshold | None = None
    for part in range(1, TRIED + 1):
        line = _line(ordered, part)
        answered = sure > line
        if not answered.any():
            continue
        bound = lower_bound(int(hit[answered].sum()), int(answered.sum()), single)
        if bound >= wanted:
            best = _threshold(line, "accuracy", wanted, sure, hit, level, bound)
    if best is not None:
        return best
    return _nothing("accuracy", wanted, n, _why_none(sure, hit, wanted, level), level)


def _why_none(sure: Floats, hit: Bools, wanted: float, level: float) -> str:
    """What stands in the way of a guarantee: too few rows, or a model that is not good enough."""
    n, single, ordered = len(sure), 1 - (1 - level) / TRIED, np.sort(sure)[::-1]
    needed, best = [], (0.0, 0.0)
    for part in range(1, TRIED + 1):
        answered = sure > _line(ordered, part)
        m = int(answered.sum())
        if not m:
            continue
        seen = float(hit[answered].mean())
        best = max(best, (seen, m / n))
        rows = rows_needed(wanted, single, seen)
        needed += [] if rows is None else [-(-rows * n // m)]
    told = f"the {n:,} rows do not show it with probability {level:g}"
    if needed:
        return f"{told}: it would take about {max(min(needed), n + 1):,} such rows"
    best_seen = f"at best {best[0]:.3f} are right, of {best[1]:.0%} answered"
    return f"{told}, and more rows would not either: {best_seen}"


def _line(ordered: Floats, part: int) -> float:
    """The line below so many tenths of the rows, which come in the order of their confidence."""
    k = len(ordered) * part // TRIED
    return float(ordered[k]) if k < len(ordered) else -inf


def _best(sure: Floats, hit: Bools) -> str:
    curve = coverage_curve(sure, hit)
    if not len(curve.accuracy):
        return "no row has a prediction"
    place = len(curve.accuracy) - 1 - int(np.argmax(curve.accuracy[::-1]))
    return f"at best {curve.accuracy[place]:.3f} are right, of {curve.coverage[place]:.0%} answered"


def _threshold(
    line: float,
    goal: Goal,
    wanted: float,
    sure: Floats,
    hit: Bools,
    level: float | None = None,
    bound: float | None = None,
) -> Threshold:
    answered = sure > line
    accuracy = float(hit[answered].mean()) if answered.any() else None
    share = float(answered.mean())
    return Threshold(float(line), goal, wanted, len(sure), share, accuracy, level, bound)


def _nothing(goal: Goal, wanted: float, n: int, why: str, level: float | None = None) -> Threshold:
    return Threshold(1.0, goal, wanted, n, 0.0, None, level, None, why)


def _read(confidence: ArrayLike, right: ArrayLike) -> tuple[Floats, Bools]:
    sure, hit = np.asarray(confidence, np.float64), np.asarray(right, np.bool_)
    if sure.ndim != 1 or sure.shape != hit.shape or np.isnan(sure).any():
        raise ValueError(f"confidences of shape {sure.shape}, right of shape {hit.shape}, or NaN")
    return sure, hit
