from math import log

import numpy as np
import pytest

from promptkit.errors import DataError
from promptkit.orders.entropy import (
    arranged_by,
    best_of,
    global_entropy,
    local_entropy,
    orders_to_try,
)
from promptkit.types import Example


def examples(*names):
    return [Example(name, {"t": name}, 0) for name in names]


ROWS = examples("x", "y", "z", "w")


def logs(p):
    with np.errstate(divide="ignore"):
        return np.log(np.array(p))


def test_global_entropy_is_that_of_the_labels_predicted():
    always = [[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.8, 0.2]]
    even = [[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.8, 0.2]]
    three = [[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.8, 0.2]]
    expected = [0, log(2), -0.75 * log(0.75) - 0.25 * log(0.25)]
    assert global_entropy(logs([always, even, three])) == pytest.approx(expected)


def test_labels_that_tie_share_their_row():
    # shares 0.75 and 0.25
    assert global_entropy(logs([[[0.5, 0.5], [0.9, 0.1]]])) == pytest.approx(
        [-0.75 * log(0.75) - 0.25 * log(0.25)]
    )


def test_local_entropy_is_the_mean_of_each_rows():
    sure = [[1.0, 0.0], [0.0, 1.0]]
    torn = [[0.5, 0.5], [0.25, 0.75]]
    mean = (log(2) - 0.25 * log(0.25) - 0.75 * log(0.75)) / 2
    assert local_entropy(logs([sure, torn])) == pytest.approx([0, mean])


def test_a_constant_added_to_a_row_changes_nothing():
    log_p = logs([[[0.9, 0.1], [0.2, 0.8]], [[0.6, 0.4], [0.7, 0.3]]])
    moved = log_p + np.array([3.0, -700.0])[None, :, None]
    assert global_entropy(moved) == pytest.approx(global_entropy(log_p))
    assert local_entropy(moved) == pytest.approx(local_entropy(log_p))


def test_the_two_disagree_where_answers_vary_and_are_sure():
    varied = [[0.99, 0.01], [0.01, 0.99]]
    unsure = [[0.51, 0.49], [0.52, 0.48]]
    log_p = logs([varied, unsure])
    assert best_of(global_entropy(log_p)) == 0
    assert best_of(local_entropy(log_p)) == 1


def test_of_a_tie_but_for_rounding_the_first_is_best():
    assert best_of(np.array([0.5, 0.7, 0.7 + 1e-12])) == 1


def test_all_orders_of_few_shots_are_tried_in_a_fixed_order():
    assert orders_to_try(examples("b", "a")) == [(0, 1), (1, 0)]
    assert len(orders_to_try(examples(*"abcd"))) == 24
    assert orders_to_try(examples(*"abcd"), seed=1) == orders_to_try(examples(*"wxyz"), seed=2)
    assert orders_to_try([]) == [()]


def test_of_many_shots_different_orders_are_drawn_by_seed_and_ids():
    drawn = orders_to_try(examples(*"abcdef"), seed=3)
    assert len(set(drawn)) == len(drawn) == 24
    assert drawn[0] == (0, 1, 2, 3, 4, 5)
    assert all(sorted(order) == [0, 1, 2, 3, 4, 5] for order in drawn)
    assert orders_to_try(examples(*"abcdef"), seed=3) == drawn
    assert orders_to_try(examples(*"abcdef"), seed=4) != drawn
    # the same orders of the same rows, wherever these stand
    names = [["abcdef"[place] for place in order] for order in drawn[1:]]
    turned = orders_to_try(examples(*"fedcba"), seed=3)[1:]
    assert [["fedcba"[place] for place in order] for order in turned] == names
    assert orders_to_try(examples(*"abcdef"), seed=3, at_most=5) == drawn[:5]


def test_the_order_is_taken_under_which_the_answers_are_most_even():
    asked = []

    def log_p_of(shots, rows):
        asked.append("".join(shot.id for shot in shots))
        # with c in the middle, every second row is answered otherwise
        odd = shots[1].id == "c"
        return logs([[0.1, 0.9] if odd and i % 2 else [0.9, 0.1] for i in range(len(rows))])

    found = arranged_by(global_entropy, examples(*"abc"), ROWS, log_p_of)
    assert asked == ["abc", "acb", "bac", "bca", "cab", "cba"]
    assert [shot.id for shot in found] == ["a", "c", "b"]


def test_where_all_orders_are_alike_the_given_one_stays():
    def log_p_of(shots, rows):
        return logs([[0.5, 0.5]] * len(rows))

    for names in ("ba", "fedcba"):
        found = arranged_by(local_entropy, examples(*names), ROWS, log_p_of, seed=1)
        assert "".join(shot.id for shot in found) == names


def test_rows_that_could_not_be_scored_under_one_order_count_under_none():
    def log_p_of(shots, rows):
        if shots[0].id == "b":  # even, by the row that the other order could not read
            return logs([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1]])
        return np.vstack([logs([[0.9, 0.1]]), [[np.nan, np.nan]], logs([[0.9, 0.1]])])

    found = arranged_by(global_entropy, examples(*"ab"), ROWS[:3], log_p_of)
    assert [shot.id for shot in found] == ["a", "b"]  # of rows x and z both say the same

    def nothing(shots, rows):
        return np.full((len(rows), 2), np.nan)

    with pytest.raises(DataError, match="of 4 probing rows none could be scored under all 2"):
        arranged_by(global_entropy, examples(*"ab"), ROWS, nothing)


def test_a_single_shot_asks_nothing():
    found = arranged_by(global_entropy, examples("a"), ROWS, lambda shots, rows: 1 / 0)
    assert [shot.id for shot in found] == ["a"]
