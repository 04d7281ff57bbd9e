from collections import Counter

import pytest

from promptkit.errors import SpecError
from promptkit.selectors.fixed import FixedSelector
from promptkit.types import Example

POOL = [Example(f"r{i}", {"t": f"text {i}"}, "abc"[i % 3]) for i in range(9)]
QUERIES = [Example(f"q{i}", {"t": f"? {i}"}) for i in range(20)]


def test_all_queries_see_the_same():
    selector = FixedSelector().fit(POOL)
    first = selector.select(QUERIES[0], 4)
    assert all(selector.select(query, 4) == first for query in QUERIES)


def test_the_shots_are_balanced_and_fewer_are_the_first_of_more():
    selector = FixedSelector().fit(POOL)
    six = selector.select(QUERIES[0], 6)
    assert Counter(shot.label for shot in six) == {"a": 2, "b": 2, "c": 2}
    assert selector.select(QUERIES[0], 3) == six[:3]


def test_a_row_among_the_shots_gets_the_next_one_instead():
    selector = FixedSelector().fit(POOL)
    four = selector.select(QUERIES[0], 4)
    assert selector.select(four[1], 3) == [four[0], four[2], four[3]]
    copy = Example("elsewhere", {"t": four[1].fields["t"].upper()})
    assert selector.select(copy, 3) == [four[0], four[2], four[3]]


def test_named_rows_come_in_the_order_named():
    # lm-eval's fewshot_indices never reached its sampler.
    selector = FixedSelector(ids=["r7", "r2", "r5"]).fit(POOL)
    assert [shot.id for shot in selector.select(QUERIES[0], 2)] == ["r7", "r2"]
    assert [shot.id for shot in selector.select(QUERIES[0], 9)] == ["r7", "r2", "r5"]
    assert [shot.id for shot in selector.select(POOL[7], 2)] == ["r2", "r5"]


def test_no_name_is_no_shot():
    assert FixedSelector(ids=()).fit(POOL).select(QUERIES[0], 4) == []


def test_an_unknown_id_names_the_nearest():
    with pytest.raises(SpecError, match="'row7'; did you mean 'r7'"):
        FixedSelector(ids=["row7"]).fit(POOL)


def test_a_row_may_not_be_named_twice_nor_a_copy_of_it():
    with pytest.raises(SpecError, match="'r1' and 'r1' hold the same text"):
        FixedSelector(ids=["r1", "r1"]).fit(POOL)
    with pytest.raises(SpecError, match="'r1' and 'z' hold the same text"):
        FixedSelector(ids=["r1", "z"]).fit([*POOL, Example("z", {"t": "TEXT 1"}, "a")])


def test_a_copy_with_a_higher_id_may_be_named():
    pool = [*POOL, Example("z", {"t": "TEXT 1"}, "a")]
    assert [s.id for s in FixedSelector(ids=["z"]).fit(pool).select(QUERIES[0], 1)] == ["z"]
