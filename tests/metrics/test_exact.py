"""Exact bounds of a share, by hand and against scipy."""

import pytest
from scipy.stats import binomtest

from promptkit.metrics.exact import lower_bound, rows_needed, share, upper_bound


def test_all_right_is_bounded_by_the_root_of_what_may_go_wrong():
    # n right ones of n happen with probability p^n: the bound is where that is 0.1
    assert lower_bound(10, 10, 0.9) == pytest.approx(0.1**0.1)
    assert upper_bound(0, 10, 0.9) == pytest.approx(1 - 0.1**0.1)


def test_nothing_right_bounds_nothing():
    assert lower_bound(0, 10, 0.9) == 0.0


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (3, 7), (40, 50), (9, 9)])
def test_the_interval_is_that_of_clopper_and_pearson(hits, n):
    ends = binomtest(hits, n).proportion_ci(0.95, "exact")
    found = share("accuracy", hits, n)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high))
    assert found.value == hits / n


def test_a_share_of_no_rows_has_no_interval():
    assert share("accuracy", 0, 0).low is None


def test_rows_needed_where_all_are_right():
    # 0.9^22 = 0.0985 and 0.9^21 = 0.109
    assert rows_needed(0.9, 0.9) == 22
    assert lower_bound(22, 22, 0.9) >= 0.9 > lower_bound(21, 21, 0.9)


def test_no_number_of_rows_shows_more_than_is_seen():
    assert rows_needed(0.9, 0.9, seen=0.9) is None
    assert rows_needed(0.9, 0.9, seen=0.95) > rows_needed(0.9, 0.9, seen=0.99)


def test_more_hits_than_rows_is_a_bug():
    with pytest.raises(ValueError, match="3 of 2"):
        lower_bound(3, 2, 0.9)
