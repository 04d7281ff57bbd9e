"""Labels, rows and confidence behind an accuracy."""

import numpy as np
import pytest

from promptkit.runs.compare.breakdown import Answers, Bin, all_wrong, divided, expected_error
from tests.runs.compare.made import CHEAP, DEAR, breakdown


@pytest.fixture(scope="module")
def seen():
    return breakdown()


def test_a_confusion_holds_every_row_of_every_draw(seen):
    counts = seen.confusion(CHEAP)
    golds = np.bincount(seen.comparison.golds)
    assert counts.sum(axis=1).tolist() == (2 * golds).tolist()  # two repeats
    assert counts[:, -1].tolist() == [0, 0]
    right = sum(int(one.right.sum()) for one in seen.outcomes(CHEAP).values())
    assert counts[0, 0] + counts[1, 1] == right


def test_figures_of_labels_are_those_of_the_confusion(seen):
    (no, yes), counts = seen.labels(DEAR), seen.confusion(DEAR)
    assert no.recall == counts[0, 0] / counts[0].sum()
    assert yes.precision == counts[1, 1] / counts[:, 1].sum()
    assert yes.f1 == pytest.approx(2 / (1 / yes.precision + 1 / yes.recall))


def test_bins_of_confidence_hold_all_predictions(seen):
    bins = seen.reliability(CHEAP)
    assert sum(one.n for one in bins) == 180
    assert all(0.5 <= one.confidence < 1 for one in bins)


def test_the_expected_error_by_hand():
    bins = [Bin(0.9, 0.8, 30), Bin(0.6, 0.7, 10)]
    assert expected_error(bins) == pytest.approx((30 * 0.1 + 10 * 0.1) / 40)
    assert expected_error([]) is None


def test_every_two_ways_are_compared_once(seen):
    gaps = seen.paired()
    assert set(gaps) == {("zero-shot", "features"), ("zero-shot", "full"), ("features", "full")}
    gap, p_value = gaps["zero-shot", "full"]
    assert gap.mean < 0
    assert 0 <= p_value <= 1


def test_rows_that_all_get_wrong_and_rows_that_divide():
    answers = [
        Answers(0, {"a": 0.0, "b": 0.0}, {"a": 1, "b": 2}),
        Answers(1, {"a": 0.0, "b": 0.0}, {"a": 1, "b": 1}),
        Answers(2, {"a": 0.0, "b": 1.0}, {"a": 1, "b": 0}),
        Answers(3, {"a": 1.0, "b": 0.0}, {"a": 0, "b": 1}),
        Answers(4, {"a": 1.0, "b": 1.0}, {"a": 0, "b": 0}),
    ]
    assert [one.place for one in all_wrong(answers)] == [1, 0]
    assert [one.place for one in divided(answers, "a")] == [2, 3]


def test_answers_are_one_for_each_row_with_the_most_frequent_label(seen):
    answers = seen.answers()
    assert [one.place for one in answers] == list(range(90))
    assert set(answers[0].said) == {"zero-shot", "features", "full"}
