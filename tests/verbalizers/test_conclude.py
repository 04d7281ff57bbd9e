import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.types import Evidence, Prediction
from promptkit.verbalizers.conclude import prediction_of

NAN, INF = float("nan"), float("inf")
EVIDENCE = Evidence("x", (-1.0, -2.0), kind="cosine", shots=("s",), dropped_shots=2, cut_chars=30)


def conclude(pooled, labels="ab", evidence=EVIDENCE):
    return prediction_of(None if pooled is None else np.array(pooled, float), labels, evidence)


def test_probabilities_are_those_of_the_softmax():
    prediction = conclude([math.log(0.1), math.log(0.3)])
    assert prediction.label == "b"
    assert np.exp(prediction.log_p) == pytest.approx([0.25, 0.75])
    assert not prediction.tied
    assert prediction.problem == ""


def test_the_rest_of_the_evidence_is_passed_on():
    scored, unscored = conclude([0, 1]), conclude(None)
    for prediction in (scored, unscored):
        assert prediction.example_id == "x"
        assert prediction.kind == "cosine"
        assert prediction.dropped_shots == 2
        assert prediction.cut_chars == 30


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9))
def test_probabilities_sum_to_one_and_agree_with_the_label(pooled):
    prediction = conclude(pooled, range(len(pooled)))
    assert sum(math.exp(value) for value in prediction.log_p) == pytest.approx(1, abs=1e-12)
    assert prediction.log_p[prediction.label] == max(prediction.log_p)
    assert prediction.label == int(np.argmax(pooled))
    assert prediction.tied == (pooled.count(max(pooled)) > 1)


def test_the_first_wins_a_tie_and_it_is_said():
    prediction = conclude([-3, -1, -1], "abc")
    assert prediction.label == "b"
    assert prediction.tied


def test_equal_losers_are_no_tie():
    assert not conclude([-3, -1, -3], "abc").tied


@pytest.mark.parametrize("label", [0, False, ""])
def test_a_label_that_is_false_is_a_label(label):
    prediction = conclude([1, 0], [label, "other"])
    assert prediction.label is label
    assert prediction.log_p is not None


def test_an_impossible_label_keeps_minus_infinity():
    assert conclude([-5, -INF]).log_p == (0.0, -INF)


def test_values_are_plain_floats():
    assert {type(value) for value in conclude([-5, -6]).log_p} == {float}


@pytest.mark.parametrize(
    ("pooled", "evidence", "why"),
    [
        (None, EVIDENCE, "no evidence"),
        ([-1, NAN], EVIDENCE, "label 'b' is not a number (nan)"),
        ([INF, -1], EVIDENCE, "label 'a' is not a number (inf)"),
        ([-INF, -INF], EVIDENCE, "probability of zero"),
        ([-1, -2], Evidence("x", ()), "no evidence"),
        ([-1, -2], Evidence("x", (-1.0, -2.0), problem="too long"), "too long"),
        (None, Evidence("x", (), problem="too long"), "too long"),
        ([NAN, NAN], Evidence("x", (), problem="too long"), "too long"),
    ],
)
def test_what_cannot_be_scored_is_no_guess_and_says_why(pooled, evidence, why):
    prediction = conclude(pooled, evidence=evidence)
    assert prediction.label is None
    assert prediction.log_p is None
    assert not prediction.tied
    assert why in prediction.problem


def test_nothing_to_choose_from():
    assert "no label" in conclude([], []).problem
    assert isinstance(conclude([], []), Prediction)


def test_a_wrong_number_of_values_is_a_bug():
    with pytest.raises(ValueError, match="3 pooled values for 2 labels"):
        conclude([1, 2, 3])
