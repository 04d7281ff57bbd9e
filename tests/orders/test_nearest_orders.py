import pytest

from promptkit.errors import SpecError
from promptkit.orders.nearest_first import NearestFirst
from promptkit.orders.nearest_last import NearestLast
from promptkit.selectors.nearest import NearestSelector
from promptkit.types import Example
from tests.selectors.plane import EAST, Plane, ids, row
from tests.selectors.trigrams import Trigrams

#: Cosines with east: 0.8, 0, 0.8, 1, -1.
SHOTS = [
    row("r4", "4,3", "a"),
    row("r1", "0,1", "a"),
    row("r2", "4,-3", "b"),
    row("r3", "1,0", "b"),
    row("r0", "-1,0", "a"),
]


def test_the_most_similar_shot_stands_first_or_last_and_of_a_tie_the_lower_id_counts_as_nearer():
    first = NearestFirst(encoder=Plane()).fit(SHOTS)
    last = NearestLast(encoder=Plane()).fit(SHOTS)
    assert ids(first.arrange(EAST, SHOTS)) == ["r3", "r2", "r4", "r1", "r0"]
    assert ids(last.arrange(EAST, SHOTS)) == ["r0", "r1", "r4", "r2", "r3"]


def test_the_order_given_decides_nothing():
    last = NearestLast(encoder=Plane()).fit(SHOTS)
    assert ids(last.arrange(EAST, SHOTS[::-1])) == ids(last.arrange(EAST, SHOTS))


def test_it_is_the_order_of_the_selector_of_that_name():
    pool = [Example(f"r{i:02}", {"t": f"{w} {i % 5}"}, i % 3) for i, w in enumerate("abcd" * 6)]
    selector = NearestSelector(encoder=Trigrams()).fit(pool)
    order = NearestLast(encoder=Trigrams()).fit(pool)
    for query in pool:
        shots = selector.select(query, 7)
        assert order.arrange(query, shots[::2] + shots[1::2]) == shots


def test_what_is_prepared_is_embedded_in_one_call_and_each_text_once():
    encoder = Trigrams()
    order = NearestFirst(encoder=encoder).fit(SHOTS)
    order.prepare([EAST, *SHOTS, SHOTS[0], EAST])
    order.arrange(EAST, SHOTS)
    order.arrange(EAST, SHOTS[:2])
    assert [len(call) for call in encoder.calls] == [6]
    order.prepare([EAST, SHOTS[0]])  # known already
    assert len(encoder.calls) == 1


@pytest.mark.parametrize(("cls", "name"), [(NearestFirst, "first"), (NearestLast, "last")])
def test_without_an_encoder_it_cannot_be_fitted(cls, name):
    with pytest.raises(SpecError, match=f"order 'nearest_{name}' needs an encoder"):
        cls().fit(SHOTS)
