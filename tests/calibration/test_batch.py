"""Batch calibration, by hand."""

import numpy as np
import pytest

from promptkit.calibration.batch import BatchCalibration
from promptkit.calibration.none import NoCalibration
from promptkit.errors import DataError

ROWS = np.log([[0.9, 0.1]] * 5 + [[0.5, 0.5]] * 5)


def test_the_prior_is_the_mean_probability_and_its_logarithm_is_taken_off():
    # half of the rows say 0.9, half 0.5: the mean is 0.7, and 0.5 is less than it says on average
    batch = BatchCalibration()
    learned = batch.learn(ROWS)
    assert np.exp(learned["log_prior"]) == pytest.approx([0.7, 0.3])
    found = np.exp(batch.apply(ROWS, learned))
    high, low = (0.9 / 0.7) / (0.9 / 0.7 + 0.1 / 0.3), (0.5 / 0.7) / (0.5 / 0.7 + 0.5 / 0.3)
    assert found[:5, 0] == pytest.approx([high] * 5)
    assert found[5:, 0] == pytest.approx([low] * 5)
    assert low == pytest.approx(0.3)


def test_rows_are_normalised_before_the_mean_is_taken():
    rows = ROWS.copy()
    rows[0] += 50  # one row, however loud, is one row
    assert np.exp(BatchCalibration().learn(rows)["log_prior"]) == pytest.approx([0.7, 0.3])


def test_a_model_that_always_says_the_same_ends_undecided():
    rows = np.log([[0.8, 0.15, 0.05]] * 12)
    batch = BatchCalibration()
    assert np.exp(batch.apply(rows, batch.learn(rows))) == pytest.approx(np.full((12, 3), 1 / 3))


def test_too_few_rows_are_an_error_with_a_way_out():
    with pytest.raises(DataError, match=r"10 rows or more .* has 9; give more rows"):
        BatchCalibration().learn(np.zeros((9, 2)))


def test_a_label_that_no_row_gave_a_chance_is_left_as_it_is():
    batch = BatchCalibration()
    learned = batch.learn(np.array([[0.0, -np.inf]] * 10))
    found = np.exp(batch.apply(np.log([[0.5, 0.5]]), learned))
    assert found == pytest.approx(np.array([[0.5, 0.5]]))


def test_no_calibration_normalises_and_no_more():
    none = NoCalibration()
    assert np.exp(none.apply(np.log([[1.0, 3.0]]), {})) == pytest.approx(np.array([[0.25, 0.75]]))
    assert none.learn(np.zeros((1, 2))) == {}
