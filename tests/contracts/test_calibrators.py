"""What every calibrator keeps to, whatever it takes off."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.calibration import CALIBRATORS

NAMES = list(CALIBRATORS)

rows = st.integers(2, 5).flatmap(
    lambda k: st.lists(
        st.lists(st.floats(-60, 0), min_size=k, max_size=k), min_size=10, max_size=14
    ).map(np.array)
)


@pytest.mark.parametrize("name", NAMES)
@given(rows)
def test_probabilities_of_a_row_sum_to_one(name, log_p):
    found = CALIBRATORS.build(name, {}).apply(log_p)
    assert found.shape == log_p.shape
    assert np.exp(found).sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("name", NAMES)
@given(rows, st.floats(-30, 30))
def test_a_constant_added_to_a_row_moves_nothing(name, log_p, shift):
    calibrator = CALIBRATORS.build(name, {})
    moved = log_p.copy()
    moved[::2] += shift
    assert calibrator.apply(moved) == pytest.approx(calibrator.apply(log_p), abs=1e-8)


@pytest.mark.parametrize("name", NAMES)
@given(rows)
def test_the_order_of_rows_and_of_labels_decides_nothing(name, log_p):
    calibrator = CALIBRATORS.build(name, {})
    turned = calibrator.apply(log_p[::-1, ::-1])[::-1, ::-1]
    assert turned == pytest.approx(calibrator.apply(log_p), abs=1e-8)


@pytest.mark.parametrize("name", NAMES)
@given(rows)
def test_a_prior_estimated_beforehand_makes_rows_independent(name, log_p):
    calibrator = CALIBRATORS.build(name, {})
    prior = calibrator.estimate(log_p)
    assert prior.shape == log_p.shape[1:]
    alone = np.vstack([calibrator.apply(row[None], prior) for row in log_p])
    assert alone == pytest.approx(calibrator.apply(log_p), abs=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_a_label_that_a_row_rules_out_stays_ruled_out(name):
    log_p = np.log(np.tile([0.2, 0.3, 0.5], (10, 1)))
    log_p[0] = [-np.inf, 0.0, -1.0]
    found = CALIBRATORS.build(name, {}).apply(log_p)
    assert found[0, 0] == -np.inf
    assert not np.isnan(found).any()


@pytest.mark.parametrize("name", NAMES)
def test_what_it_needs_is_one_of_two_things(name):
    assert CALIBRATORS.build(name, {}).needs in {"nothing", "unlabelled rows"}
