from math import nan, sqrt

import numpy as np
import pytest
from scipy.stats import t as t_distribution

from promptkit.metrics.resampled import corrected_t


def test_by_hand() -> None:
    # Differences 0, .1, .2, .1: mean .1, variance .02/3; factor 1/4 + 1/3.
    found = corrected_t([0.0, 0.1, 0.2, 0.1], n_train=75, n_test=25)
    error = sqrt(0.02 / 3 * (1 / 4 + 1 / 3))
    assert found.mean == pytest.approx(0.1)
    assert found.error == pytest.approx(error)
    assert (found.df, found.t) == (3, pytest.approx(0.1 / error))
    assert found.p_value == pytest.approx(2 * t_distribution.sf(0.1 / error, 3))
    reach = t_distribution.ppf(0.975, 3) * error
    assert (found.low, found.high) == pytest.approx((0.1 - reach, 0.1 + reach))


def test_without_correction_it_is_the_paired_t_test() -> None:
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(0).normal(0.02, 0.05, size=20)
    found = corrected_t(values, n_train=1e12, n_test=10)
    assert found.p_value == pytest.approx(ttest_1samp(values, 0).pvalue)


def test_the_order_of_entries_turns_the_sign_only() -> None:
    values = np.array([0.1, 0.0, -0.02, 0.06])
    one, other = (corrected_t(s * values, n_train=80, n_test=20) for s in (1, -1))
    assert (one.p_value, one.mean) == (pytest.approx(other.p_value), pytest.approx(-other.mean))
    above, below = one.probability_above(), other.probability_above()
    assert above is not None
    assert below is not None
    assert above + below == pytest.approx(1)


def test_entries_that_never_differ() -> None:
    found = corrected_t(np.zeros(10), n_train=90, n_test=10)
    assert (found.mean, found.t, found.p_value) == (0, 0, 1)
    assert found.low is not None
    assert found.low < 0, "ten folds without a difference do not prove that there is none"
    assert found.probability_above() == pytest.approx(0.5)


def test_the_same_difference_in_every_fold_is_not_certainty() -> None:
    found = corrected_t([0.1] * 5, n_train=80, n_test=20)
    # As if one fold had differed by one row of 20.
    nearly = corrected_t([0.1] * 4 + [0.15], n_train=80, n_test=20)
    assert found.error == pytest.approx(nearly.error)
    assert 0 < found.p_value < 0.05


def test_one_fold_shows_nothing() -> None:
    found = corrected_t([0.3], n_train=80, n_test=20)
    assert (found.mean, found.p_value, found.df) == (0.3, 1.0, 0)
    assert (found.error, found.t, found.low, found.high) == (None,) * 4
    assert (found.test, found.over) == ("corrected resampled t-test", "folds")
    assert found.belief is found.probability_above() is found.expected_loss() is None


def test_two_folds_give_no_expected_loss() -> None:
    assert corrected_t([0.1, 0.2], n_train=50, n_test=50).expected_loss() is None


def test_expected_losses_differ_by_the_mean() -> None:
    # max(0, d) - max(0, -d) = d; up to the cut at 1, which is out of reach here.
    values = np.random.default_rng(1).normal(0.01, 0.03, size=50)
    chosen = corrected_t(-values, n_train=80, n_test=20).expected_loss()
    other = corrected_t(values, n_train=80, n_test=20).expected_loss()
    assert chosen is not None
    assert other is not None
    assert other - chosen == pytest.approx(values.mean(), abs=1e-9)


@pytest.mark.parametrize("wrong", [[], [nan, 0.1], [[0.1], [0.2]]])
def test_what_are_no_differences_is_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="finite difference"):
        corrected_t(wrong, n_train=80, n_test=20)


def test_sizes_are_above_zero() -> None:
    with pytest.raises(ValueError, match="above 0"):
        corrected_t([0.1, 0.2], n_train=0, n_test=20)
