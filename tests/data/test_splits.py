from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.data import sample, split
from promptkit.errors import DataError
from promptkit.types import Example

seeds = st.integers(0, 1000)
pools = st.lists(st.sampled_from(["a", "b", "c", 1, True, None]), max_size=60).map(
    lambda labels: [Example(f"row {i}", {}, label) for i, label in enumerate(labels)]
)


def by_label(rows):
    return Counter(repr(row.label) for row in rows)


@given(pools, seeds, st.data())
def test_a_smaller_draw_begins_a_larger_one(pool, seed, data):
    n = data.draw(st.integers(0, len(pool)))
    drawn = sample(pool, n, seed)
    assert drawn == sample(pool, len(pool), seed)[:n]
    assert len({row.id for row in drawn}) == n


@given(pools, seeds, st.randoms(), st.data())
def test_a_draw_does_not_depend_on_the_order_of_the_file(pool, seed, random, data):
    n = data.draw(st.integers(0, len(pool)))
    shuffled = random.sample(pool, len(pool))
    assert sample(shuffled, n, seed) == sample(pool, n, seed)


@given(pools, seeds, st.data())
def test_a_draw_is_as_balanced_as_the_rows_allow(pool, seed, data):
    n = data.draw(st.integers(0, len(pool)))
    drawn, there = by_label(sample(pool, n, seed)), by_label(pool)
    most = max(drawn.values(), default=0)
    assert all(drawn[label] >= min(most - 1, there[label]) for label in there)


def test_another_seed_draws_other_rows():
    pool = [Example(f"row {i}", {}, "ab"[i % 2]) for i in range(1000)]
    draws = {tuple(row.id for row in sample(pool, 8, seed)) for seed in range(20)}
    assert len(draws) == 20


def test_the_odd_row_goes_to_different_labels():
    pool = [Example(f"row {i}", {}, "abc"[i % 3]) for i in range(30)]
    assert {sample(pool, 1, seed)[0].label for seed in range(30)} == {"a", "b", "c"}


@pytest.mark.parametrize("n", [-1, 4])
def test_more_rows_than_there_are_cannot_be_drawn(n):
    with pytest.raises(DataError, match=f"cannot draw {n} rows of 3"):
        sample([Example(str(i), {}, "a") for i in range(3)], n, 0)


fractions = st.floats(0.01, 0.99)


@given(pools, fractions, seeds)
def test_both_parts_together_are_the_whole_in_its_order(pool, fraction, seed):
    first, second = split(pool, fraction, seed)
    assert {row.id for row in first} | {row.id for row in second} == {row.id for row in pool}
    assert len(first) + len(second) == len(pool)
    assert len(first) == int(fraction * len(pool) + 0.5)
    assert first == [row for row in pool if row in first]


@given(pools, fractions, seeds)
def test_both_parts_have_the_labels_in_proportion(pool, fraction, seed):
    first, there = by_label(split(pool, fraction, seed)[0]), by_label(pool)
    assert all(abs(first[label] - fraction * there[label]) <= 1.5 for label in there)


@given(pools, fractions, fractions, seeds)
def test_the_first_part_of_a_smaller_fraction_lies_in_that_of_a_larger(pool, a, b, seed):
    small, large = (split(pool, fraction, seed)[0] for fraction in sorted((a, b)))
    assert {row.id for row in small} <= {row.id for row in large}


@given(pools, fractions, seeds, st.randoms())
def test_a_split_does_not_depend_on_the_order_of_the_file(pool, fraction, seed, random):
    first = split(random.sample(pool, len(pool)), fraction, seed)[0]
    assert {row.id for row in first} == {row.id for row in split(pool, fraction, seed)[0]}


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 20])
def test_a_fraction_is_between_nought_and_one(fraction):
    with pytest.raises(DataError, match="a fraction is between 0 and 1"):
        split([Example("a", {}, "a")], fraction, 0)
