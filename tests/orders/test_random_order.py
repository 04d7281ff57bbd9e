import hashlib
from collections import Counter

from promptkit.orders.as_selected import AsSelected
from promptkit.orders.random import RandomOrder
from promptkit.types import Example

SHOTS = [Example(name, {"t": name}, 0) for name in "abc"]


def query(number):
    return Example(f"q{number}", {"t": "?"})


def test_the_order_is_that_of_hashes_of_seed_query_and_row():
    def digest(name):
        return hashlib.sha256(f"5/q7/order/{name}".encode()).digest()

    expected = sorted("abc", key=digest)
    assert [shot.id for shot in RandomOrder(5).fit([]).arrange(query(7), SHOTS)] == expected


def test_every_order_comes_equally_often():
    order = RandomOrder().fit([])
    seen = Counter("".join(s.id for s in order.arrange(query(i), SHOTS)) for i in range(1200))
    assert len(seen) == 6
    assert all(150 < count < 250 for count in seen.values())  # 200, standard deviation 13


def test_the_order_given_decides_nothing_and_one_shot_less_leaves_the_others_in_order():
    order = RandomOrder().fit([])
    for number in range(20):
        whole = order.arrange(query(number), SHOTS)
        assert order.arrange(query(number), SHOTS[::-1]) == whole
        without = [shot for shot in whole if shot.id != "b"]
        assert order.arrange(query(number), [SHOTS[2], SHOTS[0]]) == without


def test_another_seed_shuffles_otherwise():
    one, other = RandomOrder(0).fit([]), RandomOrder(1).fit([])
    assert any(one.arrange(query(i), SHOTS) != other.arrange(query(i), SHOTS) for i in range(9))


def test_as_selected_is_as_selected():
    assert AsSelected().fit([]).arrange(query(0), SHOTS[::-1]) == SHOTS[::-1]
