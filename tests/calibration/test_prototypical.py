"""Prototypical calibration on rows whose clusters are known."""

import numpy as np
import pytest

from promptkit.calibration.prototypical import PrototypicalCalibration
from promptkit.errors import DataError


def two_groups(n=100):
    """Log-odds around 1 and around 4: the model says the first label to all, at 0.73 and 0.98."""
    random = np.random.default_rng(0)
    odds = np.concatenate([random.normal(1, 0.3, n), random.normal(4, 0.3, n)])
    return np.stack([odds, np.zeros(2 * n)], axis=1)


def test_the_border_lies_between_the_groups_and_not_where_the_model_is_undecided():
    rows = two_groups()
    prototypical = PrototypicalCalibration()
    learned = prototypical.learn(rows)
    found = prototypical.apply(rows, learned).argmax(axis=1)
    assert rows.argmax(axis=1).tolist() == [0] * 200
    assert found.tolist() == [1] * 100 + [0] * 100
    middle = np.array([[2.0, 0.0], [3.0, 0.0]])
    assert prototypical.apply(middle, learned).argmax(axis=1).tolist() == [1, 0]


def test_groups_go_to_the_labels_that_like_them_most_in_sum():
    rows = two_groups()
    learned = PrototypicalCalibration().learn(rows)
    odds = learned["means"][:, 0] - learned["means"][:, 1]
    assert odds == pytest.approx([4, 1], abs=0.15)
    assert learned["weights"] == pytest.approx([0.5, 0.5], abs=0.02)


def test_the_order_of_rows_decides_nothing():
    rows = two_groups(30)
    mine, other = (PrototypicalCalibration().learn(one) for one in (rows, rows[::-1]))
    assert all(np.array_equal(mine[name], other[name]) for name in mine)


def test_many_labels_need_many_rows():
    with pytest.raises(DataError, match="385 rows or more to see where the 77 labels lie"):
        PrototypicalCalibration().learn(np.zeros((256, 77)))


def test_a_model_that_says_the_same_to_all_shows_no_classes():
    with pytest.raises(DataError, match="answers alike to nearly all rows"):
        PrototypicalCalibration().learn(np.log([[0.7, 0.3]] * 40))
