"""Training rows dealt into parts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from promptkit.strategies.folds import at_most, folds

targets = st.lists(st.integers(0, 4), max_size=40).map(lambda found: np.array(found, np.int64))


@given(targets, st.integers(2, 6), st.integers(0, 3))
def test_no_row_is_tried_on_twice_nor_beside_itself_nor_without_its_label(targets, n, seed):
    tried = []
    for inside, outside in folds(targets, n, seed):
        assert not set(inside) & set(outside)
        assert set(targets[outside]) <= set(targets[inside])
        tried += outside.tolist()
    assert len(tried) == len(set(tried))
    counts = np.bincount(targets, minlength=5)
    lonely = np.flatnonzero(counts[targets] == 1)
    assert not set(tried) & set(lonely.tolist())
    # a label with two rows or more has them in two parts or more: all of them are tried on
    assert len(tried) == int((counts[targets] > 1).sum())


def test_rows_behind_those_that_may_be_tried_on_are_always_fitted_on():
    targets = np.array([0, 1, 2, 0, 1, 2, 2])
    dealt = list(folds(targets, 3, 0, tried=3))
    assert sorted(np.concatenate([outside for _, outside in dealt]).tolist()) == [0, 1, 2]
    assert all({3, 4, 5, 6} <= set(inside.tolist()) for inside, _ in dealt)


def test_every_part_has_its_share_of_each_label():
    targets = np.repeat([0, 1, 2], [10, 20, 5])
    for _, outside in folds(targets, 5, 0):
        assert np.bincount(targets[outside]).tolist() == [2, 4, 1]


def test_the_seed_decides_who_goes_where_and_nothing_else_does():
    targets = np.repeat([0, 1], 10)
    parts = [[out.tolist() for _, out in folds(targets, 4, seed)] for seed in (1, 1, 2)]
    assert parts[0] == parts[1] != parts[2]


@given(targets, st.integers(1, 12))
def test_at_most_so_many_rows_are_kept_in_order(targets, most):
    kept = at_most(targets, most, 0)
    assert len(kept) == len(targets) if len(targets) <= most else 0 < len(kept) <= most
    assert kept.tolist() == sorted(kept.tolist())
