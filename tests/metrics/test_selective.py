"""Coverage against accuracy, and thresholds that keep what they promise."""

import numpy as np
import pytest

from promptkit.errors import DataError, SpecError
from promptkit.metrics.exact import lower_bound
from promptkit.metrics.selective import (
    abstain_threshold,
    confidences,
    coverage_curve,
    has_probabilities,
)
from promptkit.types import Prediction

SURE = [0.9, 0.8, 0.8, 0.6, 0.5]
RIGHT = [True, True, False, True, False]


def test_the_curve_by_hand_answers_equal_confidences_together():
    curve = coverage_curve(SURE, RIGHT)
    assert curve.lowest.tolist() == [0.9, 0.8, 0.6, 0.5]
    assert curve.coverage == pytest.approx([0.2, 0.6, 0.8, 1.0])
    assert curve.accuracy == pytest.approx([1, 2 / 3, 3 / 4, 3 / 5])
    # one row at risk 0, two at 1/3, one at 1/4, one at 2/5
    assert curve.aurc == pytest.approx((0 + 2 / 3 + 1 / 4 + 2 / 5) / 5)


def test_the_order_of_the_rows_does_not_matter():
    for order in ([4, 2, 0, 1, 3], [2, 1, 0, 4, 3]):
        curve = coverage_curve(np.array(SURE)[order], np.array(RIGHT)[order])
        assert curve.accuracy == pytest.approx([1, 2 / 3, 3 / 4, 3 / 5])


def test_accuracy_at_a_coverage_is_where_at_least_so_much_is_answered():
    curve = coverage_curve(SURE, RIGHT)
    assert curve.at(0.6) == pytest.approx((0.6, 2 / 3))
    assert curve.at(0.61) == pytest.approx((0.8, 3 / 4))


def test_a_row_without_a_prediction_is_never_answered():
    curve = coverage_curve([0.9, -np.inf], [True, False])
    assert curve.coverage.tolist() == [0.5]
    assert curve.at(0.6) is None
    assert abstain_threshold([0.9, -np.inf], [True, False], 0.5, "coverage").answers(
        [0.2, -np.inf]
    ).tolist() == [True, False]


def test_no_row_has_no_area():
    assert np.isnan(coverage_curve([], []).aurc)


def test_the_empirical_threshold_is_the_lowest_that_reaches_the_accuracy():
    found = abstain_threshold(SURE, RIGHT, 0.7, "empirical accuracy")
    assert found.above == 0.5
    assert (found.coverage, found.accuracy) == (0.8, 0.75)
    assert found.answers([0.5, 0.51]).tolist() == [False, True]
    assert abstain_threshold(SURE, RIGHT, 0.6, "empirical accuracy").above == -np.inf


def test_a_threshold_of_coverage_answers_at_least_so_much():
    found = abstain_threshold(SURE, RIGHT, 0.5, "coverage")
    assert (found.above, found.coverage) == (0.6, 0.6)
    assert abstain_threshold(SURE, RIGHT, 0.6, "coverage").above == 0.6


def test_the_guaranteed_threshold_by_hand():
    # 100 rows; the 60 surest are right, of the 40 others each second one
    sure = np.linspace(1, 0.01, 100)
    right = [i < 60 or i % 2 == 0 for i in range(100)]
    found = abstain_threshold(sure, right, 0.8)
    tried = {k: lower_bound(sum(right[:k]), k, 0.99) for k in range(10, 101, 10)}
    passed = [k for k, bound in tried.items() if bound >= 0.8]
    assert found.coverage == max(passed) / 100 == 0.7
    assert found.bound == pytest.approx(tried[70])
    assert found.above == pytest.approx(sure[70])
    assert abstain_threshold(sure, right, 0.8, "empirical accuracy").coverage == 1.0


def test_too_few_rows_answer_nothing_and_say_how_many_would_do():
    found = abstain_threshold([0.9] * 30, [True] * 30, 0.9)
    assert found.answers([1.0, 0.99]).tolist() == [False, False]
    assert (found.accuracy, found.coverage) == (None, 0.0)
    # 0.9^44 = 0.0097 is the first power below a tenth of 0.1
    assert found.problem.endswith("it would take about 44 such rows")


def test_a_model_that_is_not_good_enough_is_said_to_be_so():
    found = abstain_threshold([0.9, 0.8] * 50, [True, False] * 50, 0.99)
    assert "44" not in found.problem
    assert abstain_threshold([0.5] * 100, [True, False] * 50, 0.9).problem == (
        "the 100 rows do not show it with probability 0.9, and more rows would not either: "
        "at best 0.500 are right, of 100% answered"
    )
    assert (
        "at best 0.500"
        in abstain_threshold([0.5] * 4, [True, False] * 2, 0.9, "empirical accuracy").problem
    )


def test_what_cannot_be_wanted_is_refused():
    for wanted in (0.0, 1.0, 90):
        with pytest.raises(SpecError, match="between 0 and 1"):
            abstain_threshold(SURE, RIGHT, wanted)
    with pytest.raises(DataError, match="needs rows"):
        abstain_threshold([], [], 0.9)


def world(rng, n):
    """Confidences, and rows that are right a little less often than they say."""
    sure = rng.beta(3, 1, size=n)
    return sure, rng.random(n) < sure**1.3


def true_accuracy(threshold):
    sure, _ = world(np.random.default_rng(99), 200_000)
    answered = threshold.answers(sure)
    return (sure[answered] ** 1.3).mean() if answered.any() else 1.0


def test_the_guarantee_holds_at_its_level_and_the_plain_threshold_does_not():
    kept = {"accuracy": [], "empirical accuracy": []}
    for seed in range(200):
        sure, right = world(np.random.default_rng(seed), 300)
        for goal, seen in kept.items():
            seen.append(true_accuracy(abstain_threshold(sure, right, 0.8, goal)) >= 0.8)
    # 0.9 is promised; with 200 worlds two standard errors are 0.042
    assert np.mean(kept["accuracy"]) >= 0.9 - 0.042
    assert np.mean(kept["empirical accuracy"]) < 0.7


def test_the_guarantee_answers_a_useful_share_of_the_rows():
    sure, right = world(np.random.default_rng(1), 1000)
    assert abstain_threshold(sure, right, 0.8).coverage >= 0.4


def test_confidence_is_the_highest_probability():
    found = confidences(
        [
            Prediction("a", "x", (np.log(0.7), np.log(0.3))),
            Prediction("b", None, None, problem="too long"),
        ]
    )
    assert found == pytest.approx([0.7, -np.inf])


def test_a_bare_decision_has_no_confidence():
    decided = [Prediction("a", "x", None)]
    assert not has_probabilities(decided)
    with pytest.raises(ValueError, match="'a'"):
        confidences(decided)
