from collections import Counter
from itertools import combinations

import pytest

from promptkit.errors import DataError, SpecError
from promptkit.selectors.copies import copy_key
from promptkit.selectors.search import searched, set_apart
from promptkit.types import Example, label_key

#: Two labels of five rows each; row i is worth 2 ** i.
POOL = [Example(f"r{i}", {"t": f"text {i}"}, "ab"[i % 2]) for i in range(10)]


def value(shots):
    return sum(2 ** int(shot.id[1:]) for shot in shots)


def names(shots):
    return {shot.id for shot in shots}


def test_with_budget_enough_the_best_balanced_set_is_found():
    # the best row of each label: r8 (a) and r9 (b)
    found = searched(POOL, 2, value, budget=25)
    assert names(found.shots) == {"r8", "r9"}
    assert found.worth == 2**8 + 2**9 == value(found.shots)


def test_the_budget_bounds_what_is_asked_and_no_set_is_asked_twice():
    for budget in (1, 2, 7, 12):
        asked = []

        def worth(shots, asked=asked):
            asked.append(names(shots))
            return value(shots)

        found = searched(POOL, 4, worth, budget=budget)
        assert len(asked) == budget
        assert len({frozenset(one) for one in asked}) == budget
        assert [set(ids) for ids, _ in found.tried] == asked
        assert found.worth == max(worth for _, worth in found.tried)


def test_every_set_is_even_over_the_labels():
    sets = []
    searched(POOL, 4, lambda shots: sets.append(Counter(s.label for s in shots)) or 0, budget=20)
    assert sets == [{"a": 2, "b": 2}] * 20


def test_the_second_half_changes_one_row_of_the_best_so_far():
    found = searched(POOL, 4, value, budget=20, seed=2)
    best_of_draws = max(found.tried[:10], key=lambda one: one[1])
    best = set(best_of_draws[0])
    for ids, worth in found.tried[10:]:
        assert len(best - set(ids)) == 1
        if worth > value([Example(name, {}, 0) for name in best]):
            best = set(ids)
    assert best == names(found.shots)
    assert found.worth > best_of_draws[1]


def test_it_stops_when_nothing_is_left_to_try():
    found = searched(POOL[:4], 2, value, budget=500)
    pairs = [{one.id, other.id} for one, other in combinations(POOL[:4], 2)]
    balanced = [pair for pair in pairs if pair not in ({"r0", "r2"}, {"r1", "r3"})]
    assert len(found.tried) == len(balanced) == 4
    assert len(searched(POOL[:4], 9, value, budget=9).tried) == 1
    assert searched([], 2, lambda shots: 1.5, budget=9).shots == ()


def test_of_sets_worth_the_same_the_first_is_kept():
    found = searched(POOL, 2, lambda shots: 0.0, budget=9)
    assert tuple(shot.id for shot in found.shots) == found.tried[0][0]
    found = searched(POOL, 2, lambda shots: float("-inf"), budget=9)
    assert tuple(shot.id for shot in found.shots) == found.tried[0][0]


def test_seed_and_rows_decide_and_the_order_of_the_file_does_not():
    one = searched(POOL, 4, value, budget=10, seed=1)
    assert searched(POOL[::-1], 4, value, budget=10, seed=1) == one
    assert searched(POOL, 4, value, budget=10, seed=2).tried != one.tried


def test_copies_are_one_row_and_labels_that_python_holds_equal_are_different():
    pool = [Example(f"r{i}", {"t": f"Text {i // 2}"[i % 2 :].strip()}, 0) for i in range(4)]
    pool += [Example(f"x{i}", {"t": "SAME " * (1 + i // 2)}, False) for i in range(4)]
    for ids, _ in searched(pool, 4, lambda shots: 0, budget=20).tried:
        shots = [row for row in pool if row.id in ids]
        assert len({copy_key(shot) for shot in shots}) == 4
        assert Counter(label_key(s.label)[0] for s in shots) == {"int": 2, "bool": 2}


def test_rows_to_judge_by_are_even_and_stand_in_no_set():
    copies = [Example(f"z{i}", {"t": f"TEXT  {i}"}, "a") for i in range(10)]
    rest, judges = set_apart([*POOL, *copies], 4)
    assert Counter(row.label for row in judges) == {"a": 2, "b": 2}
    assert len(rest) == 6
    assert not {copy_key(row) for row in rest} & {copy_key(row) for row in judges}
    assert set_apart([*copies, *POOL[::-1]], 4) == (rest, judges)


@pytest.mark.parametrize("n", [0, 10, 11])
def test_too_few_rows_to_set_apart_are_an_error(n):
    with pytest.raises(DataError, match=f"{n} rows to judge demonstrations by .* from 10"):
        set_apart(POOL, n)


def test_a_budget_of_nothing_is_an_error():
    with pytest.raises(SpecError, match="budget of 1 set or more; got 0"):
        searched(POOL, 2, value, budget=0)
