"""What every order keeps to, whatever it is; a new one is tested the day it is registered."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.errors import PromptkitError, SpecError
from promptkit.orders import ORDERS
from promptkit.protocols import Order
from promptkit.registry import parameters_of
from promptkit.types import Example
from tests.selectors.trigrams import Trigrams

NAMES = list(ORDERS)
WORDS = "tea sun map red oak jam fog hen".split()
POOL = [Example(f"r{i}", {"text": f"{WORDS[i % 8]} {i}"}, i % 3) for i in range(16)]
QUERIES = [Example(f"q{i}", {"text": f"{word} and more"}) for i, word in enumerate(WORDS)]

texts = st.sampled_from(["", " ", "tea", "Tea ", "ｔｅａ", "tea sun", "sun", "red\nmap", "!?"])
labels = st.sampled_from([0, 1, False, True, 0.0, "", "a", ("x", 0)])
fields = st.fixed_dictionaries({"text": texts})
shots = st.lists(
    st.builds(Example, id=st.sampled_from("ABCDEFGHIJ"), fields=fields, label=labels),
    max_size=8,
    unique_by=lambda example: example.id,
)
queries = st.builds(Example, id=st.sampled_from("ABCxyz"), fields=fields)


def build(name, seed=0):
    embeds = "encoder" in parameters_of(ORDERS.load(name))
    return ORDERS.build(name, {"seed": seed, **({"encoder": Trigrams()} if embeds else {})})


def ids(rows):
    return [row.id for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_fit_returns_itself_and_init_keeps_its_arguments(name):
    order = build(name, seed=7)
    assert order.seed == 7
    assert not [key for key in vars(order) if key.endswith("_")]
    checked: Order = order
    assert checked.fit(POOL) is order


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(shown=shots, query=queries, seed=st.integers(0, 3))
def test_all_shots_come_back_and_nothing_else(name, shown, query, seed):
    given_ = list(shown)
    found = build(name, seed).fit(shown).arrange(query, shown)
    assert isinstance(found, list)
    assert sorted(map(id, found)) == sorted(map(id, shown))
    assert shown == given_  # what was given is as it was


@pytest.mark.parametrize("name", NAMES)
def test_earlier_queries_and_other_rows_decide_nothing(name):
    chosen = {query.id: Random(query.id).sample(POOL, 6) for query in QUERIES}
    order = build(name).fit(POOL)
    forward = {query.id: ids(order.arrange(query, chosen[query.id])) for query in QUERIES}
    for query in reversed(QUERIES):
        assert ids(order.arrange(query, chosen[query.id])) == forward[query.id]
        alone = build(name).fit(POOL[::-1][:9])
        assert ids(alone.arrange(query, chosen[query.id])) == forward[query.id]


@pytest.mark.parametrize("name", NAMES)
def test_preparing_changes_nothing_but_speed(name):
    order, plain = build(name).fit(POOL), build(name).fit(POOL)
    if hasattr(order, "prepare"):
        order.prepare([*QUERIES[:4], *POOL])
        order.prepare([*QUERIES, *POOL[3:]])
    for query in QUERIES:
        assert order.arrange(query, POOL[:8]) == plain.arrange(query, POOL[:8])


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_order(name):
    one, other = (build(name, 5).fit(POOL) for _ in range(2))
    for query in QUERIES:
        assert one.arrange(query, POOL[:6]) == other.arrange(query, POOL[:6])


@pytest.mark.parametrize("name", NAMES)
def test_no_shot_and_one_shot_are_in_order(name):
    order = build(name).fit(POOL)
    assert order.arrange(QUERIES[0], []) == []
    assert order.arrange(QUERIES[0], POOL[:1]) == POOL[:1]


@pytest.mark.parametrize("name", NAMES)
def test_the_result_may_be_changed_by_the_caller(name):
    order, shown = build(name).fit(POOL), POOL[:5]
    first = order.arrange(QUERIES[0], shown)
    expected = list(first)
    first.clear()
    assert order.arrange(QUERIES[0], shown) == expected
    assert shown == POOL[:5]


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_an_error_that_names_the_nearest(name):
    with pytest.raises(SpecError, match="did you mean 'seed'"):
        ORDERS.build(name, {"sed": 1})


def test_an_unknown_order_is_an_error_that_names_the_nearest():
    with pytest.raises(PromptkitError, match="no order named 'interleave'; did you mean 'interl"):
        ORDERS.load("interleave")
