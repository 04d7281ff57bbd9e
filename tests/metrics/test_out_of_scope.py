"""Rows of no label, told from the others by one score."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from promptkit.errors import DataError
from promptkit.metrics.out_of_scope import (
    auroc,
    balanced_threshold,
    keeping_threshold,
    log_sum,
    scope_of,
)


def test_auroc_by_hand_counts_a_tie_as_half():
    # pairs: 0.9 beats both, 0.5 beats 0.2 and ties with 0.5
    assert auroc([0.9, 0.5], [0.5, 0.2]).value == pytest.approx((2 + 1.5) / 4)


def test_auroc_equals_scikit_learn_with_ties():
    rng = np.random.default_rng(0)
    ins, outs = rng.integers(3, 9, size=80) / 9, rng.integers(0, 7, size=50) / 9
    found = auroc(ins, outs)
    wanted = roc_auc_score([1] * 80 + [0] * 50, np.concatenate([ins, outs]))
    assert found.value == pytest.approx(wanted)
    assert found.low < wanted < found.high


def test_the_interval_is_the_same_for_the_same_seed_and_narrower_for_more_rows():
    rng = np.random.default_rng(1)
    few, many = (auroc(rng.normal(1, 1, n), rng.normal(0, 1, n)) for n in (30, 1000))
    assert few.high - few.low > 2 * (many.high - many.low)
    ins, outs = rng.normal(1, 1, 30), rng.normal(0, 1, 30)
    assert auroc(ins, outs) == auroc(ins, outs)


def test_rows_without_a_prediction_have_the_lowest_score():
    assert auroc([0.5, -np.inf], [-np.inf]).value == pytest.approx(0.75)


def test_the_threshold_that_keeps_a_share_is_the_highest_such():
    ins = np.arange(1, 101) / 100
    assert (ins > keeping_threshold(ins)).mean() == 0.95
    assert keeping_threshold(ins) == pytest.approx(0.06)
    assert keeping_threshold([0.3, 0.3, 0.9]) == pytest.approx(0.3)
    assert keeping_threshold([0.3, 0.3, 0.9], 0.3) == pytest.approx(0.9)
    # equal scores are kept together
    assert keeping_threshold([0.3, 0.3, 0.9], 0.6) == pytest.approx(0.3)


def test_the_balanced_threshold_by_hand():
    # above 0.4: 3 of 4 kept, 2 of 2 caught
    assert balanced_threshold([0.9, 0.8, 0.7, 0.3], [0.4, 0.2]) == 0.4
    # 0.2 and above would catch as much less as it keeps more
    assert balanced_threshold([0.9, 0.3], [0.5, 0.2]) == 0.2


def test_all_rates_by_hand():
    score = [0.9, 0.8, 0.3, 0.6, 0.2]
    inside = [True, True, True, False, False]
    found = scope_of(score, inside, [True, False, True, False, False], 0.5)
    assert found.kept.value == pytest.approx(2 / 3)
    assert found.caught.value == pytest.approx(1 / 2)
    # the first is kept and right, the last is caught
    assert found.accuracy.value == pytest.approx(2 / 5)
    # caught 1, wrongly 1, missed 1
    assert found.f1.value == pytest.approx(1 / 2)
    # all in-scope rows have to be kept: of the others 0.6 passes and 0.2 does not
    assert found.false_positive_rate.value == pytest.approx(1 / 2)
    assert found.auroc.value == pytest.approx((2 + 2 + 1) / 6)


def test_f1_is_that_of_scikit_learn():
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(2)
    score, inside = rng.random(200), rng.random(200) < 0.7
    found = scope_of(score, inside, inside, 0.4).f1
    assert found.value == pytest.approx(f1_score(~inside, score <= 0.4))
    assert found.low < found.value < found.high


def test_one_kind_of_rows_alone_is_refused():
    with pytest.raises(DataError, match="none of the 2 rows is out of scope"):
        scope_of([0.1, 0.2], [True, True], [True, True], 0.5)
    with pytest.raises(DataError):
        auroc([], [0.1])


def test_log_sum_by_hand():
    assert log_sum(np.log([[1.0, 2.0], [3.0, 1.0]])) == pytest.approx(np.log([3, 4]))
    assert log_sum(np.array([[-1000.0, -1000.0]])) == pytest.approx(-1000 + np.log(2))
