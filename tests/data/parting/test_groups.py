"""Groups are never split, and parts come as near to their sizes as groups allow."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.data.parting.groups import Joined, deal
from promptkit.data.parting.sizes import target_sizes
from promptkit.errors import DataError

SIZES = {"train": 80, "validation": 10, "test": 10}


def dealt(groups, labels=None, sizes=None, seed=0):
    joined = Joined(len(groups))
    joined.join_alike(groups)
    ids = [str(n) for n in range(len(groups))]
    return deal(joined, labels or ["x"] * len(groups), ids, sizes or SIZES, seed)


def test_what_is_joined_over_others_is_joined():
    joined = Joined(5)
    joined.join(3, 4)
    joined.join(0, 3)
    joined.join_alike([None, "a", "a", "", ""])
    assert [joined.first(row) for row in range(5)] == [0, 1, 1, 0, 0]


def test_sizes_and_labels_come_out_where_groups_are_small():
    groups = [n // 2 for n in range(100)]
    labels = ["x" if n % 10 < 6 else "y" for n in range(100)]
    parts = dealt(groups, labels)
    assert Counter(parts) == SIZES
    held = Counter(zip(parts, labels, strict=True))
    assert (held["test", "x"], held["validation", "x"], held["train", "x"]) == (6, 6, 48)


@given(
    st.lists(st.integers(0, 30), min_size=20, max_size=150),
    st.integers(0, 5),
    st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.25, 0.25), (0.7, 0.3)]),
)
def test_no_group_is_in_two_parts_and_all_have_rows(groups, seed, fractions):
    labels = [str(n % 3) for n in range(len(groups))]
    sizes = target_sizes(len(groups), fractions, {})
    if len(set(groups)) < len(sizes):
        return
    parts = dealt(groups, labels, sizes, seed)
    homes = {}
    for group, part in zip(groups, parts, strict=True):
        assert homes.setdefault(group, part) == part
    assert set(parts) == set(sizes)
    largest = max(Counter(groups).values())
    for part, size in sizes.items():
        assert abs(Counter(parts)[part] - size) <= max(2 * largest, 2)


def test_one_large_group_goes_where_it_fits():
    parts = dealt([0] * 70 + list(range(1, 31)))
    assert set(parts[:70]) == {"train"}
    assert Counter(parts) == SIZES


def test_another_seed_deals_otherwise_and_the_same_one_alike():
    groups = [n // 4 for n in range(100)]
    assert dealt(groups, seed=1) == dealt(groups, seed=1) != dealt(groups, seed=2)


def test_the_order_of_the_rows_is_no_matter():
    groups = [n // 3 for n in range(99)]
    sizes = {"train": 79, "validation": 10, "test": 10}
    joined, backward = Joined(99), Joined(99)
    joined.join_alike(groups)
    backward.join_alike(groups[::-1])
    ids, labels = [f"{n:02d}" for n in range(99)], [str(n % 2) for n in range(99)]
    there = deal(joined, labels, ids, sizes, 0)
    assert deal(backward, labels[::-1], ids[::-1], sizes, 0)[::-1] == there


def test_too_few_groups_are_told():
    with pytest.raises(DataError, match="2 groups cannot fill 3 parts"):
        dealt([0] * 50 + [1] * 50)
