"""The harness's metrics, on numbers by hand."""

from __future__ import annotations

import math

import pytest

from promptkit.metrics.lm_eval import Judged, lm_eval_scores


def scores(*rows: Judged, metrics=("acc",), **more) -> dict:
    return {score.metric: score for score in lm_eval_scores(rows, metrics, **more)}


def test_accuracies_divide_by_characters_and_by_bytes():
    # -6 / 2 = -3 and -8 / 4 = -2; in bytes "ää" has 4, so that -6 / 4 = -1.5
    row = Judged((-6.0, -8.0), ("ää", "abcd"), (1,))
    found = scores(row, metrics=("acc", "acc_norm", "acc_bytes"))
    assert [one.value for one in found.values()] == [0.0, 1.0, 0.0]


def test_ties_go_to_the_first_choice():
    assert scores(Judged((-1.0, -1.0), ("a", "b"), (0,)))["acc"].value == 1.0
    assert scores(Judged((-1.0, -1.0), ("a", "b"), (1,)))["acc"].value == 0.0


def test_an_interval_is_within_two_standard_errors_with_n_minus_one():
    rows = [Judged((-1.0, -2.0), ("a", "b"), (gold,)) for gold in (0, 0, 0, 1)]
    found = scores(*rows)["acc"]
    error = math.sqrt((3 * 0.25**2 + 0.75**2) / 3) / 2
    assert found.value == 0.75
    assert found.high - found.value == pytest.approx(1.959964 * error, rel=1e-6)


def test_one_of_several_right_choices_will_do_and_none_never_does():
    assert scores(Judged((-1.0, -2.0), ("a", "b"), (1, 0)))["acc"].value == 1.0
    assert scores(Judged((-1.0, -2.0), ("a", "b"), (-100,)))["acc"].value == 0.0


def test_mutual_information_takes_off_what_is_likely_anyway():
    row = Judged((-2.0, -3.0), ("a", "b"), (1,), unconditional=(-1.0, -4.0))
    assert scores(row, metrics=("acc_mutual_info",))["acc_mutual_info"].value == 1.0


def test_f1_is_of_the_second_choice_and_mcc_of_both():
    says = {0: (-1.0, -2.0), 1: (-2.0, -1.0)}
    rows = [Judged(says[said], ("a", "b"), (gold,))
            for gold, said in ((1, 1), (1, 0), (0, 0), (0, 0), (1, 1))]  # fmt: skip
    found = scores(*rows, metrics=("f1", "mcc"))
    assert found["f1"].value == pytest.approx(0.8)  # precision 1, recall 2/3
    assert found["mcc"].value == pytest.approx((2 * 2 - 0) / math.sqrt(2 * 3 * 2 * 3))
    assert found["f1"].low <= 0.8 <= found["f1"].high


def test_f1_and_mcc_are_those_of_scikit_learn():
    import numpy as np
    from sklearn.metrics import f1_score, matthews_corrcoef

    from promptkit.metrics.lm_eval import _f1, _mcc

    generator = np.random.default_rng(0)
    for _ in range(20):
        gold, said = generator.integers(0, 2, (2, 30))
        assert _f1(np.ones((1, 30)), gold, said)[0] == pytest.approx(f1_score(gold, said))
        gold, said = generator.integers(0, 4, (2, 30))
        assert _mcc(np.ones((1, 30)), gold, said)[0] == pytest.approx(matthews_corrcoef(gold, said))
    assert _mcc(np.ones((1, 3)), np.zeros(3), np.zeros(3))[0] == 0.0


def test_brier_scores_sum_over_choices():
    row = Judged((math.log(0.8), math.log(0.2)), ("a", "b"), (0,))
    assert scores(row, metrics=("brier_score",))["brier_score"].value == pytest.approx(0.08)


def test_rows_that_could_not_be_scored_are_wrong_and_counted():
    found = scores(Judged((), ("a", "b"), (0,)), Judged((-1.0, -2.0), ("a", "b"), (0,)))["acc"]
    assert (found.value, found.n, found.n_unscored) == (0.5, 2, 1)


def test_an_aggregation_of_the_tasks_own_is_taken():
    rows = [Judged((-1.0, -2.0), ("a", "b"), (gold,)) for gold in (0, 1)]
    found = scores(*rows, metrics=("acc", "f1"), aggregations={"acc": min, "f1": len})
    assert (found["acc"].value, found["f1"].value) == (0.0, 2.0)
    assert found["acc"].low is None
