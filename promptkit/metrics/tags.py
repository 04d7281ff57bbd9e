"""How good tags of words are: right words, and right spans where tags are of the BIO kind."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from promptkit.errors import DataError, MissingExtra
from promptkit.metrics.bootstrap import interval, resampled_means
from promptkit.metrics.classification import (
    confusion_from,
    divide,
    macro_f1,
    margins_of,
    per_class,
)
from promptkit.metrics.evaluate import N_WORST, Mistake, Report, row_counts
from promptkit.metrics.rows import Floats, Ints
from promptkit.types import Prediction, Scalar, Score, Value, label_key

Span = tuple[str, int, int]


def evaluate_tags(
    golds: Sequence[Value | None],
    predictions: Sequence[Prediction],
    labels: Sequence[Scalar],
    *,
    seed: int = 0,
    resamples: int = 2000,
    train_labels: Sequence[Value | None] | None = None,
) -> Report:
    """Score tags; rows are resampled whole, because the words of a row hang together.

    ``word_accuracy`` is the share of words whose tag is right, ``macro_f1`` the mean over tags of
    F1. Where tags are of the BIO kind (``B-PER``, ``I-PER``, ``O``), ``span_f1`` comes first: a
    span counts as right where its type and both ends are (Tjong Kim Sang and De Meulder 2003, by
    seqeval). An unscored row has no right word and no span.

    Args:
        golds: A tag for each word of each row; None leaves a row out.
        predictions: One per row.
        labels: The tags.
        seed: Seed of the resampling.
        resamples: Bootstrap resamples.
        train_labels: Tags of the training rows, for the baseline: the most frequent tag.

    Raises:
        DataError: A gold tag is not one of the labels.
        MissingExtra: Tags are of the BIO kind, and seqeval is absent.
    """
    rows = [
        (gold if isinstance(gold, tuple) else (gold,), one)
        for gold, one in zip(golds, predictions, strict=True)
        if gold is not None
    ]
    n, k = len(rows), len(labels)
    places = {label_key(label): place for place, label in enumerate(labels)}
    unknown = next((x for own, _ in rows for x in own if label_key(x) not in places), None)
    if unknown is not None:
        raise DataError(f"gold label {unknown!r} is none of the {k} labels")
    gold = [np.array([places[label_key(one)] for one in own]) for own, _ in rows]
    said = [_said(one, len(own), places) for own, one in rows]
    confusion = confusion_from(_joined(gold), _joined(said), k) if n else np.zeros((0, 1), int)
    lines = per_class(margins_of(confusion), labels) if n else ()
    scores: list[Score] = []
    baselines: tuple[Score, ...] = ()
    unscored = sum(one.label is None for _, one in rows)
    if n:
        spans = _span_counts(rows) if is_bio(labels) else np.zeros((n, 0))
        table = np.column_stack([_word_counts(gold, said), spans])
        values = _metrics(table.mean(0)[None])
        drawn = _metrics(resampled_means(table, np.random.default_rng([seed, 0]), resamples))
        scores = [
            Score(name, float(values[name][0]), *interval(drawn[name]), n, unscored)
            for name in values
        ]
        scores.append(Score("macro_f1", float(macro_f1(margins_of(confusion))), None, None, n))
        baselines = (_most_frequent(gold, labels, train_labels, seed, resamples),)
    return Report(
        scores=tuple(scores),
        baselines=() if n and is_bio(labels) else baselines,
        per_class=tuple(one for one in lines if one.support or one.predicted),
        confusion=(),
        worst=_worst(rows),
        majority_label=None,
        **row_counts(golds, [one for _, one in rows]),
    )


def is_bio(labels: Sequence[Scalar]) -> bool:
    """Whether tags are of the BIO kind: O, and beginnings and insides of spans."""
    names = [str(label) for label in labels]
    return "O" in names and all(one == "O" or one[:2] in ("B-", "I-") for one in names)


def spans_of(tags: Sequence[Scalar]) -> set[Span]:
    """The spans of a row: type, first and last word; an inside without a beginning begins one.

    Raises:
        MissingExtra: seqeval is absent.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from seqeval.metrics.sequence_labeling import get_entities
    except ImportError as error:
        raise MissingExtra("spans of tags need seqeval: pip install 'promptkit[tags]'") from error
    return {(str(kind), int(a), int(b)) for kind, a, b in get_entities(list(map(str, tags)))}


def _said(one: Prediction, n: int, places: dict[tuple[str, object], int]) -> Ints:
    """The place of each word's tag; one past the last of an unscored row."""
    if not isinstance(one.label, tuple):
        return np.full(n, len(places))
    return np.array([places[label_key(tag)] for tag in one.label])


def _joined(rows: Sequence[Ints]) -> Ints:
    return np.concatenate([one.astype(np.int64) for one in rows])


def _word_counts(gold: Sequence[Ints], said: Sequence[Ints]) -> Floats:
    """(n, 2) right words and words."""
    right = [float((a == b).sum()) for a, b in zip(gold, said, strict=True)]
    return np.array([right, [float(len(one)) for one in gold]]).T


def _span_counts(rows: Sequence[tuple[tuple[Scalar, ...], Prediction]]) -> Floats:
    """(n, 3) right spans, spans that were said, and gold spans."""
    found = []
    for own, one in rows:
        wanted = spans_of(own)
        said = spans_of(one.label) if isinstance(one.label, tuple) else set()
        found.append([len(wanted & said), len(said), len(wanted)])
    return np.array(found, np.float64)


def _metrics(means: Floats) -> dict[str, Floats]:
    found = {}
    if means.shape[1] > 2:
        right, said, wanted = means[:, 2], means[:, 3], means[:, 4]
        found = {
            "span_f1": divide(2 * right, said + wanted),
            "span_precision": divide(right, said),
            "span_recall": divide(right, wanted),
        }
    return {**found, "word_accuracy": divide(means[:, 0], means[:, 1])}


def _most_frequent(
    gold: Sequence[Ints],
    labels: Sequence[Scalar],
    train_labels: Sequence[Value | None] | None,
    seed: int,
    resamples: int,
) -> Score:
    """Word accuracy of one tag for all words."""
    places = {label_key(label): place for place, label in enumerate(labels)}
    known = [
        places[label_key(tag)]
        for own in train_labels or ()
        if own is not None
        for tag in (own if isinstance(own, tuple) else (own,))
    ]
    counted = np.bincount(known if known else _joined(gold), minlength=len(labels))
    constant = [np.full(len(own), int(counted.argmax())) for own in gold]
    table = _word_counts(gold, constant)
    drawn = _metrics(resampled_means(table, np.random.default_rng([seed, 1]), resamples))
    value = float(_metrics(table.mean(0)[None])["word_accuracy"][0])
    name = "majority_of_train" if known else "majority_of_golds"
    return Score(name, value, *interval(drawn["word_accuracy"]), len(gold))


def _worst(rows: Sequence[tuple[tuple[Scalar, ...], Prediction]]) -> tuple[Mistake, ...]:
    """Rows with the largest share of wrong tags, shown by their first wrong word."""
    found = []
    for at, (own, one) in enumerate(rows):
        if isinstance(one.label, tuple):
            wrong = [i for i, (a, b) in enumerate(zip(own, one.label, strict=True)) if a != b]
            if wrong:
                found.append((-len(wrong) / len(own), at, own[wrong[0]], one.label[wrong[0]]))
    return tuple(
        Mistake(rows[at][1].example_id, gold, said, None)
        for _, at, gold, said in sorted(found, key=lambda one: one[:2])[:N_WORST]
    )
