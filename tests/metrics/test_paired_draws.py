from itertools import product

import numpy as np
import pytest

from promptkit.metrics.paired import mcnemar
from promptkit.metrics.paired_draws import compare_draws, sign_flip


def test_one_draw_is_mcnemars_exact_test() -> None:
    rng = np.random.default_rng(0)
    for n in (5, 40, 300):
        one, other = rng.integers(0, 2, size=(2, 1, n))
        found = compare_draws(one, other)
        expected = mcnemar(int((one > other).sum()), int((other > one).sum()))
        assert found.p_value == expected
        assert (found.test, found.over) == ("McNemar, exact", "rows")


def test_sign_flips_equal_going_through_all_of_them() -> None:
    sums = np.array([3, -1, 2, 2, 0, 1, -3])
    flipped = [abs(np.dot(signs, np.abs(sums))) for signs in product((-1, 1), repeat=len(sums))]
    assert sign_flip(sums) == pytest.approx(np.mean(np.array(flipped) >= abs(sums.sum())))


def test_many_rows_are_no_trouble() -> None:
    sums = np.random.default_rng(0).integers(-5, 6, size=20_000)
    z = sums.sum() / np.sqrt((sums**2).sum())
    from scipy.stats import norm

    assert sign_flip(sums) == pytest.approx(2 * norm.sf(abs(z)), rel=0.02)


def test_the_variance_by_hand() -> None:
    # Differences 1, 0, 0, -1, 1 and the two added rows: squares 3 + 1, mean 1/7, of 7 rows.
    found = compare_draws([[1, 1, 0, 0, 1]], [[0, 1, 0, 1, 0]])
    assert found.mean == pytest.approx(0.2)
    assert found.error == pytest.approx(np.sqrt((4 - 1 / 7) / 6 / 7))


def test_entries_that_never_differ_still_have_an_interval() -> None:
    same = np.ones((3, 50))
    found = compare_draws(same, same)
    assert (found.mean, found.p_value) == (0, 1)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high < 0.05


def test_one_draw_that_differs_from_the_others_is_no_finding() -> None:
    # Rows agree on the first winning, but all of the difference comes from one draw of three.
    other = np.zeros((3, 100))
    one = other.copy()
    one[0, :40] = 1
    found = compare_draws(one, other)
    assert sign_flip((one - other).sum(axis=0).astype(int)) < 1e-9
    assert found.p_value > 0.2


def test_a_difference_in_every_draw_is_found() -> None:
    rng = np.random.default_rng(3)
    other = rng.random((3, 200)) < 0.6
    one = other | (rng.random((3, 200)) < 0.3)
    found = compare_draws(one, other)
    assert found.p_value < 0.001
    assert found.low is not None
    assert found.low > 0
    swapped = compare_draws(other, one)
    assert swapped.p_value == pytest.approx(found.p_value)
    assert swapped.low == pytest.approx(-found.high)
    loss = swapped.expected_loss()
    assert loss is not None
    assert loss < 0.001


@pytest.mark.parametrize(
    ("one", "other"),
    [([[1, 0]], [[1, 0, 1]]), ([[0.5, 1]], [[1, 0]]), ([1, 0], [1, 0]), ([[]], [[]])],
)
def test_what_does_not_fit_together_is_refused(one, other) -> None:
    with pytest.raises(ValueError, match=r"shape"):
        compare_draws(one, other)
