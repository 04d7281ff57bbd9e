from collections import Counter

from promptkit.selectors.random import RandomSelector
from promptkit.types import Example

POOL = [Example(f"r{i}", {"t": f"text {i}"}, i % 2) for i in range(5)]
QUERIES = [Example(f"q{i}", {"t": "?"}) for i in range(2000)]


def test_every_row_comes_equally_often_in_every_place():
    selector = RandomSelector(seed=3).fit(POOL)
    drawn = [selector.select(query, 2) for query in QUERIES]
    for place in range(2):
        counts = Counter(shots[place].id for shots in drawn)
        # 400 expected, standard deviation 18
        assert all(310 < counts[row.id] < 490 for row in POOL)


def test_fewer_shots_are_the_first_of_more():
    selector = RandomSelector().fit(POOL)
    assert selector.select(QUERIES[0], 2) == selector.select(QUERIES[0], 5)[:2]


def test_queries_with_one_text_and_two_ids_are_drawn_apart():
    selector = RandomSelector().fit(POOL)
    assert len({tuple(s.id for s in selector.select(query, 3)) for query in QUERIES[:50]}) > 20
