"""The surest rows of each label, by hand."""

import numpy as np

from promptkit.strategies.pseudo_labels import confident

P = np.array([[0.9, 0.1, 0], [0.5, 0.5, 0], [0.7, 0.2, 0.1], [0.1, 0.9, 0], [0.8, 0.1, 0.1]])
NAMES = list("abcde")


def chosen(threshold, most, p=P, names=NAMES):
    with np.errstate(divide="ignore"):
        return confident(np.log(p), threshold, most, names)


def test_rows_below_the_threshold_are_given_no_label():
    assert chosen(0.75, [9, 9, 9]) == [(0, 0), (3, 1), (4, 0)]
    assert chosen(0.95, [9, 9, 9]) == []


def test_a_label_takes_its_surest_rows_up_to_its_own_limit():
    assert chosen(0.6, [2, 1, 1]) == [(0, 0), (3, 1), (4, 0)]
    assert chosen(0.6, [1, 0, 1]) == [(0, 0)]


def test_of_rows_that_are_as_sure_the_name_decides_and_not_the_place():
    p = np.array([[0.9, 0.1], [0.9, 0.1]])
    assert chosen(0.5, [1, 1], p, ["b", "a"]) == [(1, 0)]
    assert chosen(0.5, [1, 1], p, ["a", "b"]) == [(0, 0)]


def test_no_rows_give_no_labels():
    assert chosen(0.5, [1, 1], np.empty((0, 2)), []) == []
