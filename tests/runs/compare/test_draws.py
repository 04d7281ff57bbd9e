"""Draws: the same rows for everybody, nested, stratified, copies on one side."""

from collections import Counter

import pytest

from promptkit.errors import DataError
from promptkit.runs.compare.draws import cross_validation, fixed_test
from promptkit.types import Example

ROWS = [Example(f"r{i}", {"text": f"text {i}"}, "ab"[i % 3 == 0]) for i in range(31)]


def ids(draw, rows=ROWS):
    return {rows[place].id for place in draw.held}


def test_every_repeat_holds_out_every_row_once():
    draws = cross_validation(ROWS, folds=5, repeats=3, seed=0)
    assert [(draw.repeat, draw.fold) for draw in draws] == [
        (r, f) for r in range(3) for f in range(5)
    ]
    for repeat in range(3):
        own = [draw for draw in draws if draw.repeat == repeat]
        assert sorted(place for draw in own for place in draw.held) == list(range(31))


def test_no_row_is_on_both_sides_and_none_is_lost():
    for draw in cross_validation(ROWS, folds=4, repeats=2, seed=1):
        assert not set(draw.train) & set(draw.held)
        assert sorted((*draw.train, *draw.held)) == list(range(31))


def test_repeats_deal_differently():
    draws = cross_validation(ROWS, folds=5, repeats=2, seed=0)
    assert {frozenset(d.held) for d in draws[:5]} != {frozenset(d.held) for d in draws[5:]}


def test_folds_are_stratified():
    for draw in cross_validation(ROWS, folds=5, repeats=1, seed=0):
        held = Counter(ROWS[place].label for place in draw.held)
        assert abs(held["a"] - 20 / 5) <= 1
        assert abs(held["b"] - 11 / 5) <= 1


def test_copies_of_a_text_stand_on_one_side():
    rows = [
        *ROWS,
        Example("copy", {"text": "TEXT  4"}, "b"),
        Example("copy2", {"text": "text 4"}, "a"),
    ]
    for draw in cross_validation(rows, folds=5, repeats=4, seed=0):
        there = [place in draw.held for place in (4, 31, 32)]
        assert all(there) or not any(there)


def test_draws_depend_on_ids_and_not_on_the_order_of_the_file():
    backwards = ROWS[::-1]
    for one, other in zip(
        cross_validation(ROWS, 5, 2, 7), cross_validation(backwards, 5, 2, 7), strict=True
    ):
        assert ids(one) == ids(other, backwards)
        assert [ROWS[p].id for p in one.train] == [backwards[p].id for p in other.train]


def test_the_first_rows_of_a_draw_are_balanced_so_that_sizes_nest():
    for draw in cross_validation(ROWS, 5, 2, 0):
        for size in (2, 8, 12):
            counts = Counter(ROWS[place].label for place in draw.train[:size])
            assert counts["a"] == counts["b"] == size / 2


def test_a_fixed_test_set_is_the_same_for_all_draws_and_never_trained_on():
    draws = fixed_test(ROWS, 20, repeats=3, seed=0)
    assert len({draw.train for draw in draws}) == 3
    for draw in draws:
        assert draw.held == tuple(range(20, 31))
        assert sorted(draw.train) == list(range(20))


def test_more_folds_than_texts_are_refused():
    with pytest.raises(DataError, match="2 different texts cannot be dealt into 5 folds"):
        cross_validation([*ROWS[:2], Example("c", {"text": "text 1"}, "a")], 5, 1, 0)
