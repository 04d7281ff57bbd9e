from math import sqrt

import numpy as np
import pytest
from scipy.stats import binomtest
from scipy.stats import t as t_distribution

from promptkit.metrics.classification import confusion_from, macro_f1, margins_of
from promptkit.metrics.intervals import macro_f1_over_draws, over_draws, over_folds, score_interval


def test_one_draw_is_wilsons_interval_over_rows_and_says_so() -> None:
    right = np.arange(4000)[None] % 5 > 0
    found = over_draws(right)
    expected = binomtest(3200, 4000).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-4)
    assert (found.value, found.over, found.by_draw) == (0.8, "rows", None)
    assert found.by_row == found.error


@pytest.mark.parametrize("n_draws", [1, 3])
def test_all_right_is_not_certainty(n_draws: int) -> None:
    found = over_draws(np.ones((n_draws, 50)))
    assert found.high == 1
    assert found.low is not None
    # 3 / n, the rule of three, is the end of a one-sided interval.
    assert 1 - 6 / 50 < found.low < 1 - 3 / 50


def test_draws_that_differ_make_it_wider() -> None:
    rng = np.random.default_rng(0)
    steady = rng.random((3, 400)) < 0.7
    moved = np.array([rng.random(400) < p for p in (0.6, 0.7, 0.8)])
    one, other = over_draws(steady), over_draws(moved)
    assert None not in (one.low, one.high, other.low, other.high)
    assert other.high - other.low > 3 * (one.high - one.low)  # type: ignore[operator]
    assert other.by_draw > other.by_row  # type: ignore[operator]
    assert other.over == "rows and draws"


def test_folds_by_hand() -> None:
    found = over_folds([0.7, 0.8, 0.9, 0.8], n_train=75, n_test=25)
    error = sqrt(0.02 / 3 * (1 / 4 + 1 / 3))
    assert (found.value, found.error) == pytest.approx((0.8, error))
    q = t_distribution.ppf(0.975, 3)
    # The ends of Wilson's interval solve |value - p| = q * sqrt(p (1 - p) / rows).
    rows = 0.8 * 0.2 / error**2
    for end in (found.low, found.high):
        assert end is not None
        assert abs(0.8 - end) == pytest.approx(q * sqrt(end * (1 - end) / rows))
    assert (found.n, found.n_draws, found.df, found.over) == (100, 4, 3, "folds")


def test_one_fold_has_no_interval_and_equal_folds_have_one() -> None:
    one = over_folds([0.8], n_train=80, n_test=20)
    assert (one.low, one.high, one.error) == (None, None, None)
    same = over_folds([0.8] * 5, n_train=80, n_test=20)
    assert same.low is not None
    assert same.low < 0.8
    assert over_folds([1.0] * 5, n_train=80, n_test=20).low == pytest.approx(
        score_interval(1.0, 0.0, 4, 100)[0]
    )


def test_macro_f1_is_the_mean_of_the_draws() -> None:
    rng = np.random.default_rng(1)
    gold = rng.integers(0, 3, size=200)
    noise = rng.integers(0, 3, size=(3, 200))
    predicted = np.where(rng.random((3, 200)) < 0.7, gold, noise)
    found = macro_f1_over_draws(gold, predicted, 3)
    each = [float(macro_f1(margins_of(confusion_from(gold, one, 3)))) for one in predicted]
    assert found.value == pytest.approx(np.mean(each))
    assert found == macro_f1_over_draws(gold, predicted, 3), "same seed, same interval"


def test_macro_f1_of_balanced_rows_varies_as_accuracy_does() -> None:
    rng = np.random.default_rng(2)
    gold = np.arange(1000) % 2
    predicted = np.where(rng.random((4, 1000)) < 0.8, gold, 1 - gold)
    of_f1 = macro_f1_over_draws(gold, predicted, 2, resamples=4000)
    of_accuracy = over_draws(predicted == gold)
    assert of_f1.by_row == pytest.approx(of_accuracy.by_row, rel=0.05)
    assert of_f1.error == pytest.approx(of_accuracy.error, rel=0.15)
    alone = macro_f1_over_draws(gold, predicted[:1], 2)
    assert (alone.over, alone.by_draw) == ("rows", None)


def test_an_unscored_row_counts_as_wrong() -> None:
    gold = np.array([0, 0, 1, 1])
    unscored = macro_f1_over_draws(gold, np.array([[0, 0, 1, -1]]), 2)
    assert unscored.value == pytest.approx((1 + 2 / 3) / 2)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        over_folds([1.2, 0.3], n_train=80, n_test=20)
    with pytest.raises(ValueError, match="of shape"):
        macro_f1_over_draws(np.zeros(3, dtype=int), np.zeros((2, 4), dtype=int), 2)
    with pytest.raises(ValueError, match="two resamples"):
        macro_f1_over_draws(np.zeros(3, dtype=int), np.zeros((2, 3), dtype=int), 2, resamples=1)
