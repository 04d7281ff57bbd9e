"""Two runs on the same rows: do they differ by more than chance?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from promptkit.errors import DataError
from promptkit.metrics.binomial import binomial
from promptkit.metrics.bootstrap import interval
from promptkit.types import Prediction, Score, Value, label_key


@dataclass(frozen=True)
class Paired:
    """Two runs compared, row by row.

    Args:
        difference: Accuracy of the first minus accuracy of the second on the rows that both have,
            with the 95% interval of the paired bootstrap; between -1 and 1.
        only_first: Rows that only the first got right.
        only_second: Rows that only the second got right.
        p_value: Of McNemar's exact test.
        n: Rows compared: those that both runs have and whose gold label is known.
        n_left_out: Other rows that at least one of them has.
    """

    difference: Score
    only_first: int
    only_second: int
    p_value: float
    n: int
    n_left_out: int


def compare(
    golds: Mapping[str, Value | None],
    first: Sequence[Prediction],
    second: Sequence[Prediction],
    *,
    seed: int = 0,
    resamples: int = 2000,
) -> Paired:
    """Join two runs by example id and compare their accuracy; an unscored row is wrong.

    A resample of rows is, for the difference, a multinomial draw over three kinds of row: only
    the first right, only the second right, no difference.

    Args:
        golds: Gold label by example id; None is unknown.
        first: Predictions of one run, in any order.
        second: Predictions of the other.
        seed: Seed of the resampling, not negative.
        resamples: Bootstrap resamples; 0 leaves the interval empty.

    Raises:
        DataError: An id occurs twice in a run, or the runs share no labelled row.
    """
    one, other = _right(golds, first), _right(golds, second)
    shared = [name for name in one if name in other]
    if not shared:
        raise DataError("the two runs have no labelled row in common, by example id")
    n = len(shared)
    only_first = sum(one[name] and not other[name] for name in shared)
    only_second = sum(other[name] and not one[name] for name in shared)
    kinds = np.array([only_first, only_second, n - only_first - only_second]) / n
    drawn = np.random.default_rng([seed, 2]).multinomial(n, kinds, size=resamples)
    ends = interval((drawn[:, 0] - drawn[:, 1]) / n)
    unscored = {p.example_id for p in (*first, *second) if p.label is None} & set(shared)
    everyone = {p.example_id for p in (*first, *second)}
    return Paired(
        Score("accuracy_difference", (only_first - only_second) / n, *ends, n, len(unscored)),
        only_first,
        only_second,
        mcnemar(only_first, only_second),
        n,
        len(everyone) - n,
    )


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p-value of the exact test (McNemar 1947): is the disagreement a fair coin?

    Rows on which both are right or both are wrong say nothing about which is better and do not
    enter. Exact instead of the chi-squared approximation, since few-shot runs on a few hundred
    rows often disagree on less than 25 of them.
    """
    n = only_first + only_second
    tail = binomial(n, 0.5)[: min(only_first, only_second) + 1].sum()
    return min(1.0, 2 * float(tail))


def _right(golds: Mapping[str, Value | None], run: Sequence[Prediction]) -> dict[str, bool]:
    """Whether each labelled row is right."""
    names = [prediction.example_id for prediction in run]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"row {twice!r} occurs twice in one run; rows are joined by id")
    right = {}
    for prediction in run:
        gold = golds.get(prediction.example_id)
        if gold is not None:
            label = prediction.label
            right[prediction.example_id] = label is not None and label_key(label) == label_key(gold)
    return right
