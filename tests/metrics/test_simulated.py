"""Intervals and tests held against worlds in which the truth is known; see bench/worlds.py.

A few hundred seeded runs of each, seconds in all: enough to see a method that forgets a source of
noise, which is wrong in 20 to 70 of 100 runs. The slow tests are the same at 2000 runs.
docs/log.md has the whole table.
"""

from itertools import combinations

import numpy as np
import pytest

from bench.worlds import cross_validated, expected_accuracy, fixed_test
from promptkit.metrics.choice import choice_over_draws
from promptkit.metrics.holm import holm
from promptkit.metrics.intervals import macro_f1_over_draws, over_draws, over_folds
from promptkit.metrics.paired import mcnemar
from promptkit.metrics.paired_draws import compare_draws
from promptkit.metrics.resampled import corrected_t

RUNS = pytest.mark.parametrize("runs", [250, pytest.param(2000, marks=pytest.mark.slow)])


def margin(share: float, runs: int) -> float:
    """Three binomial standard errors."""
    return float(3 * np.sqrt(share * (1 - share) / runs))


def holds(found, truth: float) -> bool:
    return found.low <= truth <= found.high


@RUNS
@pytest.mark.parametrize(("n", "n_draws", "shift"), [(60, 5, 0.1), (200, 3, 0.1), (800, 5, 0.2)])
def test_over_draws_intervals_cover_and_the_test_keeps_its_level(
    n: int, n_draws: int, shift: float, runs: int
) -> None:
    rng = np.random.default_rng(n)
    seen = []
    for _ in range(runs):
        one, other = fixed_test(rng, [0.8, 0.8], n=n, n_draws=n_draws, shift=shift)
        pair = compare_draws(one, other)
        seen.append((holds(over_draws(one), 0.8), holds(pair, 0.0), pair.p_value <= 0.05))
    covers, covers_zero, level = np.mean(seen, axis=0)
    # What is known of these designs is within 0.015 of nominal, and is allowed for.
    assert abs(covers - 0.95) < 0.015 + margin(0.05, runs)
    assert covers_zero > 0.935 - margin(0.05, runs)
    assert level < 0.065 + margin(0.05, runs)


@RUNS
def test_one_draw_keeps_its_level_for_the_fitted_models_alone(runs: int) -> None:
    def level(shift: float) -> float:
        rng = np.random.default_rng(1)
        pairs = (fixed_test(rng, [0.8] * 2, n=200, n_draws=1, shift=shift) for _ in range(runs))
        return float(np.mean([compare_draws(*pair).p_value <= 0.05 for pair in pairs]))

    assert level(0.0) < 0.05 + margin(0.05, runs)
    assert level(0.2) > 0.2, "if this fails, one draw has learned of the others; rejoice"


@RUNS
def test_pooling_all_cells_into_one_mcnemar_test_is_wrong(runs: int) -> None:
    rng = np.random.default_rng(2)
    found = []
    for _ in range(runs):
        one, other = fixed_test(rng, [0.8] * 2, n=200, n_draws=5, shift=0.1)
        found.append(mcnemar(int((one > other).sum()), int((other > one).sum())) <= 0.05)
    assert np.mean(found) > 0.15


def test_a_true_difference_is_found() -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(100):
        one, other = fixed_test(rng, [0.85, 0.7], n=300, n_draws=3, shift=0.05)
        found.append(compare_draws(one, other).p_value <= 0.05)
    assert np.mean(found) > 0.9


@RUNS
def test_macro_f1_intervals_cover(runs: int) -> None:
    # Three labels with as many rows, errors to either side: macro-F1 is accuracy.
    rng = np.random.default_rng(4)
    gold, seen = np.arange(150) % 3, []
    for _ in range(runs):
        (right,) = fixed_test(rng, [0.8], n=150, n_draws=4, shift=0.1)
        predicted = np.where(right, gold, (gold + rng.integers(1, 3, size=right.shape)) % 3)
        seen.append(holds(macro_f1_over_draws(gold, predicted, 3, resamples=200), 0.8))
    assert abs(np.mean(seen) - 0.95) < 0.02 + margin(0.05, runs)


@RUNS
@pytest.mark.parametrize("learner", ["nearest mean", "nearest row"])
def test_over_folds_intervals_cover_and_the_test_keeps_its_level(learner: str, runs: int) -> None:
    # A correction for what folds share cannot be exact (Bengio and Grandvalet 2004): with a steady
    # learner it is too careful, with a jumpy one and several repeats it covers 92 of 100. Both are
    # in docs/log.md; here coverage is held to what is known, from below.
    rng = np.random.default_rng(5)
    truth, seen = expected_accuracy(learner, 80), []
    for _ in range(runs):
        table = cross_validated(rng, learner, m=2, n=100, k=5, repeats=3)
        one = over_folds(table[:, 0], n_train=80, n_test=20)
        difference = table[:, 0] - table[:, 1]
        pair = corrected_t(difference, n_train=80, n_test=20).p_value <= 0.05
        plain = corrected_t(difference, n_train=1e12, n_test=20).p_value <= 0.05
        seen.append((holds(one, truth), pair, plain))
    covers, level, uncorrected = np.mean(seen, axis=0)
    assert covers > 0.92 - margin(0.05, runs)
    assert level < 0.065 + margin(0.05, runs)
    assert uncorrected > 0.15


@RUNS
def test_holm_keeps_the_family_of_eight(runs: int) -> None:
    runs //= 2
    rng = np.random.default_rng(6)
    pairs, seen = list(combinations(range(8), 2)), []
    for _ in range(runs):
        right = fixed_test(rng, [0.8] * 8, n=200, n_draws=5, shift=0.1)
        found = np.array([compare_draws(right[i], right[j]).p_value for i, j in pairs])
        seen.append((found.min() <= 0.05, holm(found).min() <= 0.05))
    raw, kept = np.mean(seen, axis=0)
    assert raw > 0.25
    assert kept < 0.05 + margin(0.05, runs)


@RUNS
def test_the_loss_that_is_named_is_not_below_the_true_one(runs: int) -> None:
    rng = np.random.default_rng(7)
    seen = []
    for run in range(runs):
        truth = np.clip(rng.normal(0.8, 0.03, size=5), 0, 1)
        right = fixed_test(rng, truth.tolist(), n=150, n_draws=3, shift=0.05)
        found = choice_over_draws(right, seed=run, draws=1000)
        chosen = int(found.regret.argmin())
        seen.append((found.regret[chosen], truth.max() - truth[chosen]))
    named, true = np.mean(seen, axis=0)
    assert named > 0.8 * true
    assert named < 4 * true
