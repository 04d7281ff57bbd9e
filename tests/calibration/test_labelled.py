"""Temperature, Platt and isotonic calibration, by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression

from promptkit.calibration.isotonic import IsotonicCalibration
from promptkit.calibration.platt import PlattScaling
from promptkit.calibration.temperature import TemperatureScaling


def test_the_temperature_makes_the_model_as_sure_as_it_is_right():
    # always 0.9 sure and right in 12 of 16: 0.9 becomes 0.75, so log(9) / T = log(3), T = 2
    log_p = np.log([[0.9, 0.1]] * 16)
    golds = np.array([0] * 12 + [1] * 4)
    scaling = TemperatureScaling()
    learned = scaling.learn(log_p, golds)
    assert learned["temperature"][0] == pytest.approx(2.0, abs=1e-4)
    assert np.exp(scaling.apply(log_p[:1], learned))[0] == pytest.approx([0.75, 0.25], abs=1e-4)


def test_a_model_that_is_too_timid_is_sharpened():
    log_p = np.log([[0.6, 0.4]] * 20)
    golds = np.array([0] * 18 + [1] * 2)
    found = TemperatureScaling().learn(log_p, golds)["temperature"][0]
    assert found == pytest.approx(np.log(0.6 / 0.4) / np.log(0.9 / 0.1), abs=1e-4)


def test_one_row_that_the_model_rules_out_does_not_decide_alone():
    log_p = np.log([[0.9, 0.1]] * 800 + [[1.0, 1e-300]])
    golds = np.array([0] * 600 + [1] * 200 + [1])
    # without a floor it would outweigh the 800 others, and nothing be left of the evidence
    assert TemperatureScaling().learn(log_p, golds)["temperature"][0] == pytest.approx(2.2, abs=0.2)


def test_platt_is_scikit_learns_sigmoid_for_two_labels():
    random = np.random.default_rng(0)
    golds = random.integers(0, 2, 60)
    odds = random.normal(0, 2, 60) + 2 * golds - 0.5
    log_p = np.stack([-np.logaddexp(0, odds), -np.logaddexp(0, -odds)], axis=1)
    learned = PlattScaling().learn(log_p, golds)
    theirs = _SigmoidCalibration().fit(odds, golds)
    assert learned["slope"][1] == pytest.approx(-theirs.a_, rel=1e-3)
    assert learned["offset"][1] == pytest.approx(-theirs.b_, abs=1e-3)
    # of two labels, the sigmoids mirror each other, so that normalising changes nothing
    found = np.exp(PlattScaling().apply(log_p, learned))[:, 1]
    assert found == pytest.approx(theirs.predict(odds), abs=1e-3)


def test_isotonic_is_scikit_learns_staircase_mixed_with_one_row_of_the_models_own():
    random = np.random.default_rng(1)
    p = random.uniform(0.05, 0.95, 40)
    golds = (random.uniform(size=40) < p**2).astype(int)
    log_p = np.log(np.stack([1 - p, p], axis=1))
    isotonic = IsotonicCalibration()
    found = np.exp(isotonic.apply(log_p, isotonic.learn(log_p, golds)))
    ones = IsotonicRegression(y_min=0, y_max=1).fit(p, golds).predict(p)
    zeros = IsotonicRegression(y_min=0, y_max=1).fit(1 - p, golds == 0).predict(1 - p)
    mixed = np.stack([40 * zeros + 1 - p, 40 * ones + p], axis=1)
    assert found == pytest.approx(mixed / mixed.sum(axis=1, keepdims=True), abs=1e-6)


def test_isotonic_pools_what_is_out_of_order():
    # four levels of confidence, right in 0/5, 4/5, 2/5 and 5/5: the middle two become 6/10
    p = np.repeat([0.2, 0.4, 0.6, 0.8], 5)
    golds = np.array([0] * 5 + [1, 1, 1, 1, 0] + [1, 1, 0, 0, 0] + [1] * 5)
    log_p = np.log(np.stack([1 - p, p], axis=1))
    learned = IsotonicCalibration().learn(log_p, golds)
    start = learned["start"].astype(int)
    x, y = (learned[name][start[1] : start[2]] for name in "xy")
    assert np.interp([0.2, 0.4, 0.5, 0.6, 0.8], x, y) == pytest.approx([0, 0.6, 0.6, 0.6, 1])


@pytest.mark.parametrize("calibrator", [PlattScaling(), IsotonicCalibration()])
def test_a_label_with_one_row_takes_what_all_labels_show(calibrator):
    random = np.random.default_rng(2)
    golds = np.array([0, 1] * 19 + [0, 2])
    log_p = random.normal(0, 1, (40, 3)) + 3 * np.eye(3)[golds]
    learned = calibrator.learn(log_p, golds)
    found = calibrator.apply(np.array([[0.0, 0.0, 3.0]]), learned)
    assert found[0].argmax() == 2  # and not ruled out for want of rows
