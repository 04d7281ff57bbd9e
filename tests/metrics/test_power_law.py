"""Learning curves: what the points fix is found, what they leave open is wide."""

import numpy as np
import pytest

from promptkit.metrics.power_law import BEFORE, fit_curve

SIZES = np.array([16, 32, 64, 128, 256])


def law(n, level=0.9, b=1.0, c=0.5):
    return level - b * np.asarray(n, float) ** -c


def sure(n=5, error=0.002):
    return np.eye(n) * error**2


def test_a_law_is_found_again_and_foretold():
    curve = fit_curve(SIZES, law(SIZES), sure())
    for n in (512, 1024):
        told = curve.at(n)
        assert told.low < law(n) < told.high
        assert told.mean == pytest.approx(law(n), abs=0.01)


def test_what_is_known_beforehand_makes_a_curve_rise_late():
    late = 0.9 - 2.0 * (SIZES + 256.0) ** -0.5
    told = fit_curve(SIZES, late, sure()).gain(256, 512)
    came = 2.0 * (512**-0.5 - 768**-0.5)
    assert told.low < came < told.high
    assert told.mean == pytest.approx(came, abs=0.006)


def test_a_gain_is_the_difference_between_two_sizes():
    curve = fit_curve(SIZES, law(SIZES), sure())
    gain = curve.gain(256, 512)
    assert gain.mean == pytest.approx(law(512) - law(256), abs=0.006)
    assert gain.low < gain.mean < gain.high


def test_luck_of_single_fits_widens_a_gain_and_not_the_curve():
    calm = fit_curve(SIZES, law(SIZES), sure(), noise=0.0)
    lucky = fit_curve(SIZES, law(SIZES), sure(), noise=0.03)
    assert lucky.at(512) == calm.at(512)
    wide = lucky.gain(256, 512)
    assert wide.high - wide.low > 0.06 > calm.gain(256, 512).high - calm.gain(256, 512).low


def test_a_flat_curve_promises_little_and_a_steep_one_much():
    flat = fit_curve(SIZES, np.full(5, 0.8), sure())
    assert flat.chance(256, 512, 0.01) < 0.1
    assert flat.rows_for(256, 0.05) is None
    steep = fit_curve(SIZES, [0.3, 0.42, 0.54, 0.66, 0.78], sure())
    assert steep.chance(256, 512, 0.01) > 0.9
    assert 256 < steep.rows_for(256, 0.01) < 300


def test_nothing_gets_above_one():
    curve = fit_curve(SIZES, [0.9, 0.95, 0.975, 0.99, 0.995], sure())
    assert curve.ceiling().high <= 1.0
    assert curve.at(10**6).high <= 1.0


def test_few_points_and_large_errors_leave_wide_bands():
    near = fit_curve(SIZES[:3], law(SIZES[:3]), sure(3)).at(1024)
    far = fit_curve(SIZES[:3], law(SIZES[:3]), sure(3, 0.05)).at(1024)
    assert far.high - far.low > near.high - near.low


def test_bands_of_nine_tenths_hold_nine_tenths_of_what_comes():
    """Laws drawn as the prior has them, points with errors: the band at twice the rows."""
    rng = np.random.default_rng(0)
    held = 0
    for trial in range(200):
        c = float(np.exp(np.log(0.5) + 0.7 * rng.standard_normal()))
        level = rng.uniform(0.5, 0.85)
        left = rng.uniform(0, 1 - level)
        d = 256 * rng.choice(BEFORE)
        truth = level + left * (1 - ((np.append(SIZES, 512) + d) / (256 + d)) ** -c)
        errors = 0.01 * rng.standard_normal(5)
        curve = fit_curve(SIZES, truth[:-1] + errors, sure(5, 0.01), seed=trial)
        told = curve.at(512)
        held += told.low <= truth[-1] <= told.high
    assert held >= 170


@pytest.mark.parametrize(
    ("sizes", "accuracies", "covariance"),
    [([8], [0.5], [[0.1]]), ([8, 8], [0.5, 0.6], np.eye(2)), ([8, 16], [0.5], np.eye(2)),
     ([8, 16], [0.5, 0.6], np.eye(3))],
)  # fmt: skip
def test_what_is_no_curve_is_refused(sizes, accuracies, covariance):
    with pytest.raises(ValueError, match=r"curve needs|must be above"):
        fit_curve(sizes, accuracies, covariance)
