import numpy as np
import pytest

from promptkit.metrics.detectable import (
    detectable_by_folds,
    detectable_on_rows,
    detectable_over_draws,
    power_on_rows,
)
from promptkit.metrics.paired import mcnemar
from promptkit.metrics.resampled import corrected_t


def within(share: float, wanted: float, runs: int) -> bool:
    """Whether a simulated share is within three standard errors of what was wanted."""
    return abs(share - wanted) < 3 * np.sqrt(wanted * (1 - wanted) / runs)


@pytest.mark.parametrize(("n", "discordant"), [(50, 0.3), (200, 0.2), (2000, 0.05)])
def test_mcnemars_test_finds_it_in_80_of_100_runs(n: int, discordant: float) -> None:
    smallest = detectable_on_rows(n, discordant=discordant)
    assert smallest is not None
    shares = [(discordant + smallest) / 2, (discordant - smallest) / 2, 1 - discordant]
    drawn = np.random.default_rng(0).multinomial(n, shares, size=4000)
    found = np.mean([mcnemar(int(one), int(other)) <= 0.05 for one, other, _ in drawn])
    assert within(float(found), 0.8, 4000)


@pytest.mark.parametrize(("n_folds", "n_train", "n_test"), [(5, 80, 20), (50, 45, 5)])
def test_the_corrected_test_finds_it_in_80_of_100_runs(
    n_folds: int, n_train: int, n_test: int
) -> None:
    # Folds that correlate as Nadeau and Bengio suppose; s² is what is left of their variance.
    variance, ratio, runs = 0.02, n_test / n_train, 3000
    smallest = detectable_by_folds(n_folds, n_train=n_train, n_test=n_test, fold_variance=variance)
    assert smallest is not None
    rng = np.random.default_rng(1)
    shared = np.sqrt(variance * ratio) * rng.normal(size=(runs, 1))
    folds = smallest + shared + np.sqrt(variance) * rng.normal(size=(runs, n_folds))
    tests = [corrected_t(one, n_train=n_train, n_test=n_test).p_value for one in folds]
    assert within(float(np.mean(np.array(tests) <= 0.05)), 0.8, runs)


def test_power_by_hand() -> None:
    # Six rows, all discordant, one entry wins always: p = 2 / 64.
    assert power_on_rows(6, 1.0) == pytest.approx(1.0)
    assert power_on_rows(5, 1.0) == 0.0
    # Under the null, the exact test finds less than its level.
    assert 0.01 < power_on_rows(200, 0.0) <= 0.05


def test_power_is_the_sum_over_all_tables() -> None:
    from scipy.stats import multinomial

    n, shares = 12, [0.5, 0.1, 0.4]
    total = sum(
        multinomial.pmf([a, b, n - a - b], n, shares)
        for a in range(n + 1)
        for b in range(n + 1 - a)
        if mcnemar(a, b) <= 0.05
    )
    assert power_on_rows(n, 0.4, discordant=0.6) == pytest.approx(total)


def test_too_few_rows_can_show_nothing() -> None:
    assert detectable_on_rows(5) is None
    assert detectable_on_rows(6) is not None


def test_more_rows_draws_or_folds_show_smaller_differences() -> None:
    on_rows = [detectable_on_rows(n) for n in (50, 200, 1000, 10_000)]
    assert on_rows == sorted(on_rows, reverse=True)  # type: ignore[type-var]
    over = [detectable_over_draws(500, d) for d in (2, 3, 5, 20)]
    assert over == sorted(over, reverse=True)  # type: ignore[type-var]
    folds = [detectable_by_folds(j, n_train=80, n_test=20) for j in (3, 5, 25)]
    assert folds == sorted(folds, reverse=True)  # type: ignore[type-var]


def test_without_retraining_noise_draws_show_what_rows_show() -> None:
    one = detectable_over_draws(2000, 5, retraining=0.0)
    assert one == pytest.approx(detectable_on_rows(2000), rel=0.05)


def test_what_is_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        detectable_on_rows(100, discordant=0)
    with pytest.raises(ValueError, match="one row"):
        detectable_on_rows(0)
    with pytest.raises(ValueError, match="draws"):
        detectable_over_draws(100, 1)
    with pytest.raises(ValueError, match="two folds"):
        detectable_by_folds(1, n_train=80, n_test=20)
