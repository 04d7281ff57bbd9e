"""Batches for losses that compare rows: each row once an epoch, and company in every batch."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.strategies.batches_by_label import plan_batches

TARGETS = st.lists(st.integers(0, 5), min_size=1, max_size=60)


def planned(targets, **options):
    return plan_batches(targets, **{"epochs": 1, "batch_size": 8, "seed": 0} | options)


@given(TARGETS, st.integers(2, 20), st.integers(0, 3))
def test_every_batch_has_a_pair_of_one_label_and_a_pair_of_two(targets, batch_size, seed):
    for batch in planned(targets, batch_size=batch_size, seed=seed):
        counts = Counter(targets[row] for row in batch)
        assert len(counts) > 1
        assert max(counts.values()) > 1


@given(TARGETS, st.integers(2, 20))
def test_no_row_comes_twice_in_an_epoch(targets, batch_size):
    rows = [row for batch in planned(targets, batch_size=batch_size) for row in batch]
    assert len(rows) == len(set(rows))
    assert set(rows) <= set(range(len(targets)))


@pytest.mark.parametrize("k", [2, 3, 6])
def test_balanced_rows_all_come_once_an_epoch_and_labels_are_spread_evenly(k):
    targets = [place % k for place in range(16 * k)]
    batches = planned(targets, epochs=3, batch_size=4 * k)
    assert len(batches) == 12
    assert Counter(row for batch in batches for row in batch) == dict.fromkeys(range(16 * k), 3)
    for batch in batches:
        assert set(Counter(targets[row] for row in batch).values()) == {4}


def test_many_labels_with_few_rows_stay_together_in_groups():
    targets = [place % 20 for place in range(80)]
    for batch in planned(targets, batch_size=16):
        assert min(Counter(targets[row] for row in batch).values()) >= 2
        assert 14 <= len(batch) <= 18


def test_a_row_alone_with_its_label_comes_beside_others():
    targets = [0, 0, 0, 0, 1]
    assert any(4 in batch for batch in planned(targets, batch_size=5))


@pytest.mark.parametrize("targets", [[0, 0, 0], [0, 1, 2], [0]])
def test_rows_that_have_nothing_to_compare_make_no_batch(targets):
    assert planned(targets) == []


def test_the_seed_decides_the_order_and_epochs_differ():
    targets = [place % 3 for place in range(30)]
    assert planned(targets, epochs=2) == planned(targets, epochs=2)
    assert planned(targets, seed=1) != planned(targets)
    both = planned(targets, epochs=2)
    assert both[: len(both) // 2] != both[len(both) // 2 :]
