import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from promptkit.metrics.binomial import binomial, central, guesses


@given(st.integers(0, 400), st.floats(1e-6, 1 - 1e-6))
def test_equals_scipy(n: int, p: float) -> None:
    assert binomial(n, p) == pytest.approx(binom.pmf(np.arange(n + 1), n, p), abs=1e-11)


def test_by_hand() -> None:
    assert binomial(2, 0.25) == pytest.approx([9 / 16, 6 / 16, 1 / 16])


@pytest.mark.parametrize(("n", "p"), [(100, 0.5), (12_000, 1 / 77), (7, 0.25)])
def test_quantiles_equal_scipys(n: int, p: float) -> None:
    assert central(binomial(n, p)) == tuple(binom.ppf([0.025, 0.975], n, p))


def test_certain_outcomes_have_no_width() -> None:
    assert central(binomial(5, 0.0)) == (0, 0)
    assert central(binomial(5, 1.0)) == (5, 5)


def test_guessing_among_different_numbers_of_choices_by_hand() -> None:
    # One row of two choices and one of four: none right 1/2 * 3/4, both right 1/2 * 1/4.
    assert guesses([2, 4]) == pytest.approx([3 / 8, 4 / 8, 1 / 8])


def test_many_rows_of_many_sizes_still_sum_to_one() -> None:
    sizes = [2, 3, 4, 5, 7] * 4000
    distribution = guesses(sizes)
    assert len(distribution) == 20_001
    assert distribution.sum() == pytest.approx(1.0)
    mean = distribution @ np.arange(20_001)
    assert mean == pytest.approx(sum(1 / size for size in sizes))
