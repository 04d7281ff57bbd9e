import numpy as np
import pytest

from promptkit.metrics.factorial import (
    Effect,
    Parts,
    Range,
    agreement,
    chance_sd,
    changed,
    parts_of,
    range_of,
    row_error,
    unanimous,
)


def test_best_median_and_worst_by_hand() -> None:
    found = range_of([0.2, 0.8, 0.4, 0.6])
    # squares about 0.5: 0.09 + 0.09 + 0.01 + 0.01, over 3; quartiles 0.35 and 0.65
    assert found == Range(
        best=0.8,
        median=pytest.approx(0.5),
        worst=0.2,
        mean=pytest.approx(0.5),
        sd=pytest.approx((0.2 / 3) ** 0.5),
        iqr=pytest.approx(0.3),
        n=4,
    )


def test_a_single_value_has_no_spread() -> None:
    assert range_of([0.7]) == Range(0.7, 0.7, 0.7, 0.7, 0.0, 0.0, 1)


def test_equal_values_have_no_spread_down_to_the_last_digit() -> None:
    assert range_of([0.1] * 7).sd == 0.0


def test_no_value_is_an_error() -> None:
    with pytest.raises(ValueError, match="no values"):
        range_of([])


def test_two_by_two_by_three_by_hand() -> None:
    # first factor -1 or +1, second nothing by itself, third -1, 0 or +1; first and second together
    # +1 where they are alike and -1 where not. Sums of squares: 12, 0, 8 and 12 of 32.
    cells = np.empty((2, 2, 3))
    for a in range(2):
        for b in range(2):
            for c in range(3):
                cells[a, b, c] = 10 + (2 * a - 1) + (c - 1) + (1 if a == b else -1)
    found = parts_of(cells)
    first, second, third = found.effects
    assert first == Effect((9.0, 11.0), 2.0, pytest.approx(12 / 32), 1 / 11)
    assert second == Effect((10.0, 10.0), 0.0, pytest.approx(0.0), 1 / 11)
    assert third == Effect((9.0, 10.0, 11.0), 2.0, pytest.approx(8 / 32), 2 / 11)
    assert found.together == pytest.approx(12 / 32)


def test_what_factors_do_only_together_is_no_ones_share() -> None:
    found = parts_of([[1.0, 0.0], [0.0, 1.0]])
    assert [effect.share for effect in found.effects] == [0.0, 0.0]
    assert found.together == 1.0


def test_additive_factors_leave_nothing_for_both_together() -> None:
    found = parts_of([[0.1, 0.2], [0.4, 0.5]])
    assert [effect.share for effect in found.effects] == pytest.approx([0.9, 0.1])
    assert found.together == pytest.approx(0.0, abs=1e-12)
    assert found.together >= 0


def test_equal_runs_have_no_shares_rather_than_nan() -> None:
    # 0.1 * 6 / 6 is not 0.1 in every order of adding: the mean may be a hair off
    found = parts_of(np.full((2, 3), 0.1))
    assert [effect.share for effect in found.effects] == [None, None]
    assert [effect.reach for effect in found.effects] == [0.0, 0.0]
    assert found.together is None


def test_a_single_factor_explains_all_and_has_nothing_beside_it() -> None:
    found = parts_of([0.5, 0.75, 1.0])
    assert found == Parts((Effect((0.5, 0.75, 1.0), 0.5, pytest.approx(1.0), 1.0),), None)


@pytest.mark.parametrize("shape", [(), (1,), (2, 1, 3)])
def test_a_factor_with_one_level_is_refused(shape) -> None:
    with pytest.raises(ValueError, match="two levels"):
        parts_of(np.zeros(shape))


def test_by_chance_is_what_noise_gives_on_average() -> None:
    rng = np.random.default_rng(0)
    found = [parts_of(rng.normal(size=(4, 3))).effects for _ in range(2000)]
    assert found[0][0].by_chance == 3 / 11
    assert np.mean([one[0].share for one in found]) == pytest.approx(3 / 11, abs=0.01)
    assert np.mean([one[1].share for one in found]) == pytest.approx(2 / 11, abs=0.01)


def test_the_error_of_one_run_by_hand() -> None:
    # 2 of 4 right: variance 1/3; 4 of 4: none. Mean 1/6, over 4 rows.
    assert row_error([[1, 1, 0, 0], [1, 1, 1, 1]]) == pytest.approx((1 / 24) ** 0.5)
    assert row_error([[1], [0]]) is None


def test_chance_between_runs_counts_only_rows_on_which_they_differ() -> None:
    alike = [[1, 1, 0, 0], [1, 1, 0, 0]]
    assert chance_sd(alike) == 0.0
    # Two runs: differences d = (0, 0, 1, -1) of mean 0; half the variance of d over n is
    # (2/3) / 2 / 4.
    assert chance_sd([[1, 0, 1, 0], [1, 0, 0, 1]]) == pytest.approx((1 / 12) ** 0.5)
    assert chance_sd([[1, 0, 1]]) is None


def test_chance_between_equally_good_runs_is_what_simulation_shows() -> None:
    rng = np.random.default_rng(1)
    easy = rng.beta(2, 1, size=(3000, 1, 100))
    worth = (rng.random((3000, 5, 100)) < easy).astype(float)
    seen = worth.mean(axis=2).var(axis=1, ddof=1).mean() ** 0.5
    told = np.mean([chance_sd(one) ** 2 for one in worth]) ** 0.5
    assert told == pytest.approx(seen, rel=0.03)


def test_agreement_by_hand() -> None:
    # of three pairs of runs, the first row has 3 that agree, the second 1, the third none
    answers = np.array([[0, 0, 0], [0, 0, 1], [0, 1, 2]])
    assert agreement(answers) == pytest.approx(4 / 9)
    assert unanimous(answers) == pytest.approx(1 / 3)


def test_agreement_needs_two_runs() -> None:
    with pytest.raises(ValueError, match="between two runs"):
        agreement(np.zeros((1, 5), dtype=np.int64))


def test_changed_is_of_one_factor_alone() -> None:
    answers = np.array([[[0, 0], [0, 0]], [[0, 1], [0, 0]]])  # (2, 2, 2 rows)
    # first factor: of 2 x 2 cells one differs; the second: also one
    assert changed(answers, 0) == 0.25
    assert changed(answers, 1) == 0.25
    assert changed(np.array([[[0], [1]], [[0], [1]]]), 0) == 0.0
    assert changed(np.array([[[0], [1]], [[0], [1]]]), 1) == 1.0
