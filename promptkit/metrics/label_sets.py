"""How good sets of labels are: F1 over labels and rows, and how many sets are right as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from promptkit.errors import DataError
from promptkit.metrics.bootstrap import interval, resampled_means
from promptkit.metrics.classification import PerClass, divide
from promptkit.metrics.evaluate import N_WORST, Mistake, Report, row_counts
from promptkit.metrics.rows import Floats
from promptkit.types import Prediction, Scalar, Score, Value, label_key


def evaluate_sets(
    golds: Sequence[Value | None],
    predictions: Sequence[Prediction],
    labels: Sequence[Scalar],
    *,
    seed: int = 0,
    resamples: int = 2000,
    train_labels: Sequence[Value | None] | None = None,
) -> Report:
    """Score sets of labels (Tsoumakas and Katakis 2007); an unscored row has none of its labels.

    ``micro_f1`` is the F1 of all decisions together, ``macro_f1`` the mean of each label's,
    ``exact_match`` the share of rows whose set is right as a whole, ``jaccard`` the mean overlap of
    a row's two sets: what both have of what either has, 1 where both are empty.

    Args:
        golds: The right labels of each row; None leaves a row out, an empty tuple has none.
        predictions: One per row.
        labels: The labels.
        seed: Seed of the resampling.
        resamples: Bootstrap resamples.
        train_labels: Labels of the training rows, for the baseline: one set for all rows, the one
            of the most frequent labels that has the highest micro F1 there.

    Raises:
        DataError: A gold label is not one of the labels.
    """
    rows = [(gold, one) for gold, one in zip(golds, predictions, strict=True) if gold is not None]
    n = len(rows)
    gold = _matrix([one for one, _ in rows], labels)
    said = _matrix([() if one.label is None else one.label for _, one in rows], labels)
    unscored = np.array([one.label is None for _, one in rows], bool)
    table = _table(gold, said, unscored)
    scores: list[Score] = []
    baselines: list[Score] = []
    if n:
        values = _metrics(table.mean(0)[None], len(labels))
        drawn = _metrics(
            resampled_means(table, np.random.default_rng([seed, 0]), resamples), len(labels)
        )
        scores = [
            Score(name, float(values[name][0]), *interval(drawn[name]), n, int(unscored.sum()))
            for name in values
        ]
        known = [one for one in train_labels or () if one is not None]
        source, learned = ("train", _matrix(known, labels)) if known else ("golds", gold)
        constant = np.broadcast_to(_best_constant(learned), gold.shape)
        base = _table(gold, constant, np.zeros(n, bool))
        drawn = _metrics(
            resampled_means(base, np.random.default_rng([seed, 1]), resamples), len(labels)
        )
        value = float(_metrics(base.mean(0)[None], len(labels))["micro_f1"][0])
        baselines = [Score(f"set_of_{source}", value, *interval(drawn["micro_f1"]), n)]
    return Report(
        scores=tuple(scores),
        baselines=tuple(baselines),
        per_class=_per_class(table.sum(0), labels) if n else (),
        confusion=(),
        worst=_worst(rows, table[:, -1]),
        majority_label=None,
        **row_counts(golds, [one for _, one in rows]),
    )


def _matrix(sets: Sequence[Value], labels: Sequence[Scalar]) -> Floats:
    """(n, k) 1 where a row has a label."""
    places = {label_key(label): place for place, label in enumerate(labels)}
    found = np.zeros((len(sets), len(labels)))
    for row, own in enumerate(sets):
        for label in own if isinstance(own, tuple) else (own,):
            if label_key(label) not in places:
                raise DataError(f"gold label {label!r} is none of the {len(labels)} labels")
            found[row, places[label_key(label)]] = 1
    return found


def _table(
    gold: Floats, said: Floats, unscored: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> Floats:
    """(n, 3k + 2): hits, false alarms and misses of each label, whole sets, and overlaps."""
    both, either = (gold * said).sum(1), np.maximum(gold, said).sum(1)
    overlap = np.where(either > 0, divide(both, either), 1.0)
    overlap[unscored] = 0.0  # an empty set that nobody gave is not right
    whole = (overlap == 1).astype(float)
    return np.column_stack([gold * said, (1 - gold) * said, gold * (1 - said), whole, overlap])


def _metrics(means: Floats, k: int) -> dict[str, Floats]:
    """(r,) each metric, from (r, 3k + 2) means of such a table."""
    hits, alarms, misses = means[:, :k], means[:, k : 2 * k], means[:, 2 * k : 3 * k]
    seen = 2 * hits + alarms + misses
    each, counted = divide(2 * hits, seen), (seen > 0).sum(1).astype(float)
    return {
        "micro_f1": divide(2 * hits.sum(1), seen.sum(1)),
        "macro_f1": divide(each.sum(1), counted),
        "exact_match": means[:, 3 * k],
        "jaccard": means[:, 3 * k + 1],
    }


def _best_constant(gold: Floats) -> Floats:
    """(k,) the set of the most frequent labels that has the highest micro F1 for all rows."""
    counts = gold.sum(0)
    order = np.argsort(-counts, kind="stable")
    sizes = np.arange(1, len(order) + 1)
    f1 = 2 * counts[order].cumsum() / (len(gold) * sizes + counts.sum()).clip(1)
    found = np.zeros(len(order))
    found[order[: int(np.argmax(f1)) + 1]] = 1
    return found


def _per_class(sums: Floats, labels: Sequence[Scalar]) -> tuple[PerClass, ...]:
    k = len(labels)
    hits, predicted, support = sums[:k], sums[:k] + sums[k : 2 * k], sums[:k] + sums[2 * k : 3 * k]
    precision, recall = divide(hits, predicted), divide(hits, support)
    f1 = divide(2 * hits, predicted + support)
    return tuple(
        PerClass(label, float(precision[at]), float(recall[at]), float(f1[at]),
                 int(support[at]), int(predicted[at]))
        for at, label in enumerate(labels)
    )  # fmt: skip


def _worst(rows: Sequence[tuple[Value, Prediction]], overlap: Floats) -> tuple[Mistake, ...]:
    """Sets that overlap least with the right ones; of those alike, the most certain ones first."""
    wrong = []
    for at, (gold, one) in enumerate(rows):
        if one.label is not None and overlap[at] < 1:
            sure = _certainty(one)
            wrong.append((float(overlap[at]), -(sure or 0.0), at, gold, sure))
    return tuple(
        Mistake(rows[at][1].example_id, gold, rows[at][1].label or (), sure)
        for _, _, at, gold, sure in sorted(wrong, key=lambda one: one[:3])[:N_WORST]
    )


def _certainty(one: Prediction) -> float | None:
    """The probability of a set, were labels independent of each other."""
    if one.log_p is None:
        return None
    share = np.exp(np.array(one.log_p))
    return float(np.prod(np.maximum(share, 1 - share)))
