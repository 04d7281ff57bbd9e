"""How good ratings are: agreement with the gold numbers, and how far off they lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from promptkit.metrics.bootstrap import interval, resampled_means
from promptkit.metrics.classification import divide
from promptkit.metrics.evaluate import N_WORST, Mistake, Report, row_counts
from promptkit.metrics.rows import Floats
from promptkit.types import Prediction, Scalar, Score, Value


def evaluate_ratings(
    golds: Sequence[Value | None],
    predictions: Sequence[Prediction],
    labels: Sequence[Scalar],
    *,
    seed: int = 0,
    resamples: int = 2000,
    train_labels: Sequence[Value | None] | None = None,
) -> Report:
    """Score numbers. An unscored row counts as far off as the scale allows.

    ``agreement`` is Lin's concordance (1989), ``1 - E[(x - y)^2] / (var x + var y + (mean x -
    mean y)^2)``: for numbers of the scale it is kappa with quadratic weights (Cohen 1968), 0 for
    any constant. ``mae`` and ``rmse`` are in the units of the scale, lower is better;
    ``mae_of_median`` is the former of a constant. ``pearson`` is the correlation; ``accuracy`` the
    share of rows whose number, rounded to the scale, is the gold number rounded to the scale.

    Args:
        golds: Gold numbers; None leaves a row out.
        predictions: One per row.
        labels: The numbers of the scale, from the lowest to the highest.
        seed: Seed of the resampling.
        resamples: Bootstrap resamples.
        train_labels: Gold numbers of the training rows, for the median; the golds' where None.
    """
    scale = np.array(labels, np.float64)
    rows = [
        (_number(gold), one)
        for gold, one in zip(golds, predictions, strict=True)
        if gold is not None
    ]
    n = len(rows)
    gold = np.array([one for one, _ in rows], np.float64)
    said = np.array([np.nan if one.label is None else _number(one.label) for _, one in rows])
    unscored = np.isnan(said)
    farthest = np.where(gold - scale[0] > scale[-1] - gold, scale[0], scale[-1]) if n else said
    said = np.where(unscored, farthest, said)
    scores: list[Score] = []
    baselines: tuple[Score, ...] = ()
    if n:
        known = [_number(one) for one in train_labels or () if one is not None]
        median = float(np.median(known or gold))
        table = _table(gold, said, _rounded(gold, scale) == _rounded(said, scale), median)
        table[unscored, 6] = 0.0
        values = _metrics(table.mean(0)[None])
        drawn = _metrics(resampled_means(table, np.random.default_rng([seed, 0]), resamples))
        scores = [
            Score(name, float(values[name][0]), *interval(drawn[name]), n, int(unscored.sum()))
            for name in values
        ]
        baselines = (Score("same_number", 0.0, None, None, n),)
    return Report(
        scores=tuple(scores),
        baselines=baselines,
        per_class=(),
        confusion=(),
        worst=_worst(rows, np.abs(gold - said)),
        majority_label=None,
        **row_counts(golds, [one for _, one in rows]),
    )


def _table(
    gold: Floats, said: Floats, right: np.ndarray[tuple[int], np.dtype[np.bool_]], median: float
) -> Floats:
    """(n, 8) what the means of give all metrics; centred, so that no digits are lost."""
    x, y = gold - median, said - median
    off = np.abs(gold - said)
    return np.column_stack([x, y, x * x, y * y, x * y, off, right.astype(float), np.abs(x)])


def _metrics(means: Floats) -> dict[str, Floats]:
    x, y, xx, yy, xy, off, right, median_off = means.T
    var_x, var_y, both = xx - x * x, yy - y * y, xy - x * y
    return {
        "agreement": divide(2 * both, var_x + var_y + (x - y) ** 2),
        "mae": off,
        "mae_of_median": median_off,
        "rmse": np.sqrt((xx - 2 * xy + yy).clip(0)),
        "pearson": divide(both, np.sqrt((var_x * var_y).clip(0))),
        "accuracy": right,
    }


def _rounded(values: Floats, scale: Floats) -> Floats:
    """Each value's nearest number of the scale, the lower one of two."""
    return np.asarray(scale[np.abs(values[:, None] - scale).argmin(1)])


def _number(value: Value) -> float:
    return float(value[0]) if isinstance(value, tuple) else float(value)


def _worst(rows: Sequence[tuple[float, Prediction]], off: Floats) -> tuple[Mistake, ...]:
    """The rows that are farthest off."""
    order = [int(at) for at in np.argsort(-off, kind="stable") if rows[at][1].label is not None]
    return tuple(
        Mistake(
            rows[at][1].example_id, rows[at][0], round(_number(rows[at][1].label or 0), 2), None
        )
        for at in order[:N_WORST]
        if off[at] > 0
    )
