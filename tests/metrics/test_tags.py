"""Tags of words, and spans as seqeval counts them."""

import pytest
from seqeval.metrics import f1_score

from promptkit.errors import DataError
from promptkit.metrics import evaluate_tags
from promptkit.metrics.tags import is_bio
from promptkit.types import Prediction

BIO = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
GOLDS = [("B-PER", "I-PER", "O"), ("O", "B-LOC"), ("O",)]


def said(*rows):
    return [Prediction(str(n), own, None) for n, own in enumerate(rows)]


def values(report):
    return {score.metric: score.value for score in report.scores}


def test_spans_come_first_and_are_seqevals():
    own = [("B-PER", "O", "O"), ("O", "B-LOC"), ("I-LOC",)]
    report = evaluate_tags(GOLDS, said(*own), BIO)
    assert report.scores[0].metric == "span_f1"
    wanted = f1_score([list(one) for one in GOLDS], [list(one) for one in own])
    assert values(report)["span_f1"] == pytest.approx(wanted) == pytest.approx(0.4)
    assert values(report)["word_accuracy"] == pytest.approx(4 / 6)
    assert values(report)["span_precision"] == pytest.approx(1 / 3)
    assert values(report)["span_recall"] == pytest.approx(1 / 2)


def test_an_unscored_row_has_no_right_word():
    report = evaluate_tags([("X", "Y"), ("Y",)], said(None, ("Y",)), ("X", "Y"))
    assert values(report)["word_accuracy"] == pytest.approx(1 / 3)
    assert report.n_unscored == 1
    assert not is_bio(("X", "Y"))
    assert [line.recall for line in report.per_class] == [0, 0.5]


def test_an_unknown_gold_tag_is_refused():
    with pytest.raises(DataError, match="'Z' is none of the 2 labels"):
        evaluate_tags([("Z",)], said(("X",)), ("X", "Y"))


def test_the_baseline_is_the_most_frequent_tag_of_train():
    report = evaluate_tags(
        [("X", "X", "Y")], said(("X", "X", "X")), ("X", "Y"), train_labels=[("Y", "Y"), ("X",)]
    )
    (baseline,) = report.baselines
    assert (baseline.metric, baseline.value) == ("majority_of_train", pytest.approx(1 / 3))
    (worst,) = report.worst
    assert (worst.gold, worst.predicted) == ("Y", "X")
