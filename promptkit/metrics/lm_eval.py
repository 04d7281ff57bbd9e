"""The metrics of lm-evaluation-harness for multiple choice, as it computes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promptkit.metrics.bootstrap import interval
from promptkit.metrics.rows import Floats, Ints
from promptkit.types import Score

#: What the normal distribution holds of itself within so many standard errors: 95%.
WITHIN = 1.959963984540054
RESAMPLES, AT_ONCE = 2000, 200


@dataclass(frozen=True)
class Judged:
    """One row.

    Args:
        log_p: (c,) log-probability of each choice; empty where the row could not be scored.
        choices: The choices, without what stands before them.
        gold: Indices of the right ones; -100 is none.
        unconditional: (c,) the same behind nothing, for ``acc_mutual_info``.
    """

    log_p: tuple[float, ...]
    choices: tuple[str, ...]
    gold: tuple[int, ...]
    unconditional: tuple[float, ...] = ()


def lm_eval_scores(
    rows: Sequence[Judged],
    metrics: Sequence[str],
    aggregations: Mapping[str, Callable[[list[Any]], float]] | None = None,
    seed: int = 0,
) -> tuple[Score, ...]:
    """Each metric over all rows; a row that could not be scored counts as wrong.

    Intervals of means are 1.96 standard errors as the harness reports them (standard deviation with
    n - 1, over the root of n), those of F1 and of Matthews' correlation are bootstrapped; Brier
    scores and aggregations of a task's own have none.

    Args:
        rows: The rows.
        metrics: Names, as the harness has them.
        aggregations: A task's own, by metric.
        seed: Seed of the bootstrap.
    """
    found = []
    for metric in metrics:
        own = (aggregations or {}).get(metric)
        if metric in ("f1", "mcc"):
            found.append(_counted(metric, rows, own, seed))
        elif metric == "brier_score":
            found.append(_brier(rows))
        else:
            found.append(_mean(metric, rows, own))
    return tuple(found)


def _mean(metric: str, rows: Sequence[Judged], own: Callable[[list[Any]], float] | None) -> Score:
    right = np.array([_right(metric, row) for row in rows], np.float64)
    value = float(own(right.tolist()) if own else right.mean())
    n, unscored = len(rows), sum(not row.log_p for row in rows)
    if own is not None or n < 2:
        return Score(metric, value, None, None, n, unscored)
    error = float(right.std(ddof=1)) / n**0.5
    low, high = value - WITHIN * error, value + WITHIN * error
    return Score(metric, value, low, high, n, unscored)


def _right(metric: str, row: Judged) -> float:
    """1 where the first of the best choices is a right one."""
    if not row.log_p:
        return 0.0
    return float(_best(metric, row) in row.gold)


def _best(metric: str, row: Judged) -> int:
    log_p: NDArray[np.float64] = np.array(row.log_p)
    if metric == "acc_norm":
        log_p = log_p / np.array([float(len(choice)) for choice in row.choices])
    elif metric == "acc_bytes":
        log_p = log_p / np.array([float(len(choice.encode())) for choice in row.choices])
    elif metric == "acc_mutual_info":
        log_p = log_p - np.array(row.unconditional)
    return int(np.argmax(log_p))


def _counted(
    metric: str, rows: Sequence[Judged], own: Callable[[list[Any]], float] | None, seed: int
) -> Score:
    """F1 of class 1, or Matthews' correlation, over (gold, predicted)."""
    gold = np.array([row.gold[0] for row in rows])
    said = np.array([_best("acc", row) if row.log_p else -1 for row in rows])
    n, unscored = len(rows), sum(not row.log_p for row in rows)
    if own is not None:
        items = list(zip(gold.tolist(), said.tolist(), strict=True))
        return Score(metric, float(own(items)), None, None, n, unscored)

    counted = _f1 if metric == "f1" else _mcc
    value = float(counted(np.ones((1, n)), gold, said)[0])
    if n < 2:
        return Score(metric, value, None, None, n, unscored)
    generator = np.random.default_rng([seed, 7])
    drawn = [
        counted(generator.multinomial(n, np.full(n, 1 / n), AT_ONCE).astype(np.float64), gold, said)
        for _ in range(RESAMPLES // AT_ONCE)
    ]
    return Score(metric, value, *interval(np.concatenate(drawn)), n, unscored)


def _f1(weights: Floats, gold: Ints, said: Ints) -> Floats:
    """(r,) F1 of class 1; 0 where there is nothing to find and nothing was said."""
    right = weights @ ((gold == 1) & (said == 1))
    both = weights @ (gold == 1) + weights @ (said == 1)
    return np.asarray(np.divide(2 * right, both, out=np.zeros_like(both), where=both > 0))


def _mcc(weights: Floats, gold: Ints, said: Ints) -> Floats:
    """(r,) Matthews' correlation of any number of classes (Gorodkin 2004); 0 of one class alone."""
    classes = np.unique(np.concatenate([gold, said]))
    truly, claimed = (weights @ (one[:, None] == classes) for one in (gold, said))
    n = weights.sum(axis=1)
    together = (weights @ (gold == said)) * n - (truly * claimed).sum(axis=1)
    spread = (n**2 - (truly**2).sum(axis=1)) * (n**2 - (claimed**2).sum(axis=1))
    root = np.sqrt(spread)
    return np.asarray(np.divide(together, root, out=np.zeros_like(root), where=spread > 0))


def _brier(rows: Sequence[Judged]) -> Score:
    scored = [row for row in rows if row.log_p]
    total = 0.0
    for row in scored:
        shifted = np.exp(np.array(row.log_p) - max(row.log_p))
        right = np.zeros(len(row.log_p))
        right[row.gold[0]] = 1.0
        total += float(((shifted / shifted.sum() - right) ** 2).sum())
    value = total / max(1, len(scored))
    return Score("brier_score", value, None, None, len(scored), len(rows) - len(scored))
