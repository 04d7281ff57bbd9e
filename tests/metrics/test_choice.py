from math import inf

import numpy as np
import pytest

from promptkit.metrics.choice import (
    Prior,
    choice_over_draws,
    choice_over_folds,
    expected_regret,
    shrunk,
)
from promptkit.metrics.paired_draws import compare_draws
from promptkit.metrics.resampled import corrected_t


def test_two_entries_over_folds_equal_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    folds = np.column_stack([rng.normal(0.8, 0.03, 10), rng.normal(0.79, 0.03, 10)])
    found = choice_over_folds(folds, n_train=80, n_test=20, draws=400_000)
    pair = corrected_t(folds[:, 0] - folds[:, 1], n_train=80, n_test=20)
    back = corrected_t(folds[:, 1] - folds[:, 0], n_train=80, n_test=20)
    assert found.regret == pytest.approx([back.expected_loss(), pair.expected_loss()], abs=1e-4)
    assert found.best[0] == pytest.approx(pair.probability_above(), abs=0.002)
    assert found.best.sum() == pytest.approx(1)


def test_two_entries_over_draws_are_near_the_pairwise_test() -> None:
    rng = np.random.default_rng(1)
    right = rng.random((2, 4, 200)) < np.array([0.8, 0.76])[:, None, None]
    found = choice_over_draws(right, draws=200_000)
    loss = compare_draws(right[1], right[0]).expected_loss()
    assert found.regret[0] == pytest.approx(loss, rel=0.05)


def test_what_all_entries_share_does_not_count() -> None:
    rng = np.random.default_rng(2)
    folds = rng.normal(0.7, 0.02, size=(8, 4))
    hard = rng.normal(0, 0.2, size=(8, 1))
    one = choice_over_folds(folds, n_train=70, n_test=10)
    other = choice_over_folds(folds + hard - hard.mean(), n_train=70, n_test=10)
    assert one.regret == pytest.approx(other.regret, abs=1e-6)


def test_a_clear_winner_has_nothing_to_regret_and_ties_share() -> None:
    rng = np.random.default_rng(3)
    folds = rng.normal([0.9, 0.6, 0.6], 0.005, size=(10, 3))
    clear = choice_over_folds(folds, n_train=90, n_test=10)
    assert clear.regret[0] < 1e-4
    assert clear.regret[1:] == pytest.approx([0.3, 0.3], abs=0.02)
    assert clear.best[0] > 0.999
    same = choice_over_folds(np.tile(folds[:, :1], 3), n_train=90, n_test=10)
    assert same.best == pytest.approx([1 / 3] * 3, abs=0.01)
    assert same.regret == pytest.approx([same.regret[0]] * 3, rel=0.05)


def test_more_tied_entries_make_each_choice_cost_more() -> None:
    folds = np.random.default_rng(4).normal(0, 1, size=(20, 8))
    folds = 0.8 + 0.03 * (folds - folds.mean(axis=0))
    few = choice_over_folds(folds[:, :2], n_train=80, n_test=20)
    many = choice_over_folds(folds, n_train=80, n_test=20)
    assert many.regret.mean() > 1.5 * few.regret.mean()


def test_fewer_folds_than_entries_is_no_certainty() -> None:
    folds = np.random.default_rng(5).normal(0.8, 0.05, size=(3, 8))
    found = choice_over_folds(folds, n_train=60, n_test=30)
    alone = found.covariance.diagonal()
    pairs = alone[:, None] + alone - 2 * found.covariance
    assert pairs[np.triu_indices(8, 1)].min() > 1e-4
    assert np.linalg.matrix_rank(found.covariance) == 7
    assert np.isfinite(found.regret).all()
    assert found.regret.min() > 0


def test_shrinking_keeps_the_trace_and_leaves_what_is_already_alike() -> None:
    rng = np.random.default_rng(6)
    values = rng.normal(size=(4, 5))
    values = values - values.mean(axis=1, keepdims=True)
    values = values - values.mean(axis=0)
    covariance = values.T @ values / 3
    found = shrunk(covariance, 3)
    assert np.trace(found) == pytest.approx(np.trace(covariance))
    assert np.abs(found.sum(axis=0)).max() < 1e-12
    alike = np.eye(5) - 1 / 5
    assert shrunk(alike, 3) is alike
    nothing = np.zeros((4, 4))
    assert (shrunk(nothing, 3) == 0).all()
    pair = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert shrunk(pair, 3) is pair


def test_many_folds_are_hardly_shrunk() -> None:
    rng = np.random.default_rng(7)
    values = rng.normal(size=(5000, 4)) * [1, 2, 3, 4]
    values -= values.mean(axis=1, keepdims=True)
    covariance = np.cov(values.T)
    assert shrunk(covariance, 4999) == pytest.approx(covariance, abs=0.02)


def test_a_prior_counts_as_many_rows_as_it_is_worth() -> None:
    folds = np.random.default_rng(8).normal([0.8, 0.7], 0.05, size=(5, 2))
    raw = choice_over_folds(folds, n_train=80, n_test=20)
    half = choice_over_folds(folds, n_train=80, n_test=20, prior=Prior([0.5, 0.9], 100))
    assert half.means == pytest.approx((raw.means + np.array([0.5, 0.9])) / 2)
    assert half.covariance == pytest.approx(raw.covariance / 2)
    none = choice_over_folds(folds, n_train=80, n_test=20, prior=Prior([0.5, 0.9], 0))
    assert none.regret == pytest.approx(raw.regret)


def test_rows_of_one_run_are_folds_of_one_row() -> None:
    right = np.random.default_rng(9).random((300, 2)) < [0.8, 0.7]
    by_row = choice_over_folds(right, n_train=inf, n_test=1)
    by_draw = choice_over_draws(right.T[:, None])
    assert by_row.regret == pytest.approx(by_draw.regret, abs=5e-4)


def test_one_entry_has_nothing_to_regret() -> None:
    alone = choice_over_folds([[0.7], [0.8]], n_train=10, n_test=10)
    assert (alone.regret, alone.best) == ([0], [1])
    assert choice_over_draws(np.ones((1, 2, 10))).regret == [0]


def test_the_same_seed_gives_the_same_and_a_normal_belief_works() -> None:
    means, covariance = np.array([0.8, 0.8]), 0.0002 * np.eye(2)
    regret, best = expected_regret(means, covariance, inf)
    # E[max(0, d)] of a normal with deviation .02 is .02 / sqrt(2 pi).
    assert regret == pytest.approx([0.02 / np.sqrt(2 * np.pi)] * 2, rel=0.03)
    assert best == pytest.approx([0.5, 0.5])
    assert (expected_regret(means, covariance, inf)[0] == regret).all()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="two folds"):
        choice_over_folds([[0.1, 0.2]], n_train=1, n_test=1)
    with pytest.raises(ValueError, match="entries, draws, rows"):
        choice_over_draws([[1, 0]])
    with pytest.raises(ValueError, match="prior means"):
        choice_over_folds(np.ones((3, 2)), n_train=1, n_test=1, prior=Prior([0.5], 1))
    with pytest.raises(ValueError, match="0 rows or more"):
        choice_over_folds(np.ones((3, 2)), n_train=1, n_test=1, prior=Prior([0.5, 0.5], -1))
    with pytest.raises(ValueError, match="two draws"):
        expected_regret(np.zeros(2), np.eye(2), 3, draws=1)
