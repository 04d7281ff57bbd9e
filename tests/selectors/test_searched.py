"""The searched set: what it is chosen by, from which rows, and what a copy of it is shown."""

import pytest

from promptkit.errors import DataError, SpecError
from promptkit.selectors.searched import SearchedSelector
from promptkit.types import Example

POOL = [Example(f"r{n:02}", {"text": f"text {n}"}, "ab"[n % 2]) for n in range(20)]
QUERY = Example("q", {"text": "something else"})


def numbers(shots):
    return sum(int(shot.id[1:]) for shot in shots)


def test_the_best_set_of_those_that_were_tried_is_shown_to_every_query():
    tried = []

    def worth_of(own, rows):
        tried.append((own, rows))
        return numbers(own)

    selector = SearchedSelector(budget=10, judges=4).fit(POOL)
    ids = selector.search(3, worth_of)
    assert len(tried) == 10
    assert numbers([row for row in POOL if row.id in ids]) == max(numbers(s) for s, _ in tried)
    assert tuple(row.id for row in selector.select(QUERY, 3)) == ids == selector.searched()
    judges = {row.id for _, rows in tried for row in rows}
    assert len(judges) == 4
    assert judges.isdisjoint(row.id for own, _ in tried for row in own)


def test_half_of_few_rows_judge():
    seen = []
    selector = SearchedSelector(judges=32).fit(POOL[:6])
    selector.search(8, lambda own, rows: seen.append((len(own), len(rows))) or 0.0)
    assert set(seen) == {(3, 3)}
    assert len(selector.select(QUERY, 8)) == 6
    with pytest.raises(DataError, match="and has 1; give others"):
        SearchedSelector().fit(POOL[:1]).search(2, lambda own, rows: 0.0)


def test_a_copy_of_a_shown_row_is_shown_another_one():
    selector = SearchedSelector(judges=4).fit(POOL)
    ids = selector.search(3, lambda own, rows: numbers(own))
    copied = next(row for row in POOL if row.id == ids[0])
    shots = selector.select(Example("copy", copied.fields), 3)
    assert [shot.id for shot in shots[:2]] == list(ids[1:])
    assert shots[2].id not in ids


def test_it_is_the_same_whatever_the_order_of_the_rows_and_forgotten_by_the_next_fit():
    found = SearchedSelector(judges=4).fit(POOL).search(3, lambda own, rows: numbers(own))
    selector = SearchedSelector(judges=4).fit(POOL[::-1])
    assert selector.search(3, lambda own, rows: numbers(own)) == found
    assert selector.fit(POOL).searched() == ()


@pytest.mark.parametrize("options", [{"budget": 0}, {"judges": 0}, {"budget": True}])
def test_numbers_that_cannot_be(options):
    with pytest.raises(SpecError, match="a whole number from 1 on"):
        SearchedSelector(**options)


def test_nothing_is_judged_by_the_label_of_a_row_that_is_evaluated():
    from promptkit.selectors.copies import copy_key

    seen = set()
    selector = SearchedSelector(judges=32).fit(POOL)
    selector.bar({copy_key(row) for row in POOL[:12]})
    selector.search(2, lambda own, rows: seen.update(row.id for row in (*own, *rows)) or 0.0)
    assert seen == {row.id for row in POOL[12:]}
    selector.bar({copy_key(row) for row in POOL})
    with pytest.raises(DataError, match="not evaluated, and has 0; give others with --train-data"):
        selector.search(2, lambda own, rows: 0.0)
