"""What a model does not know about a row, against numbers by hand."""

import numpy as np
import pytest

from promptkit.runs.label_next.acquisition import (
    disagreement,
    entropy,
    highest,
    margin,
    variance,
)

P = np.array([[0.5, 0.5, 0.0], [0.9, 0.1, 0.0], [0.0, 1.0, 0.0]])


def test_margin_is_one_for_a_tie_and_nothing_for_certainty():
    assert margin(P) == pytest.approx([1.0, 0.2, 0.0])
    assert margin(np.ones((2, 1))) == pytest.approx([0.0, 0.0])


def test_variance_and_entropy_of_three_rows():
    assert variance(P) == pytest.approx([0.5, 0.18, 0.0])
    assert entropy(P) == pytest.approx([np.log(2), 0.325083, 0.0], abs=1e-6)


def test_models_that_contradict_each_other_differ_by_log_two_and_alike_ones_by_nothing():
    sure = np.array([[1.0, 0.0], [0.5, 0.5]])
    other = np.array([[0.0, 1.0], [0.5, 0.5]])
    assert disagreement([sure, other]) == pytest.approx([np.log(2), 0.0])
    # mean (0.55, 0.45): 0.688139 nats, less the mean of 0.325083 and 0.500402
    told = disagreement([np.array([[0.9, 0.1]]), np.array([[0.2, 0.8]])])
    assert told == pytest.approx([0.688139 - (0.325083 + 0.500402) / 2], abs=1e-6)


def test_of_equal_values_the_earlier_is_higher_though_the_last_bits_differ():
    worth = np.array([0.1, 0.3, 0.3 + 1e-13, 0.2])
    assert highest(worth, 3).tolist() == [1, 2, 3]
    assert highest(worth, 9).tolist() == [1, 2, 3, 0]
