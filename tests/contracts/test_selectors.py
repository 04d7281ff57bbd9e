"""What every selector keeps to, whatever it is; a new one is tested the day it is registered."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.errors import DataError, PromptkitError, SpecError
from promptkit.protocols import Selector
from promptkit.registry import parameters_of
from promptkit.selectors import SELECTORS
from promptkit.selectors.copies import copy_key
from promptkit.types import Example, label_key
from tests.selectors.trigrams import Trigrams

NAMES = list(SELECTORS)
SHOWING = [name for name in NAMES if name != "none"]
WORDS = "tea sun map red oak jam fog hen".split()


def build(name, seed=0, **options):
    if "encoder" in parameters_of(SELECTORS.load(name)):
        options.setdefault("encoder", Trigrams())
    return SELECTORS.build(name, {"seed": seed, **options})


def row(number, label="ab"):
    text = f"{WORDS[number % 8]} {WORDS[number // 2 % 8]} number {number}"
    return Example(f"r{number:02}", {"text": text}, label[number % len(label)])


POOL = [row(number) for number in range(20)]
QUERIES = [Example(f"q{number}", {"text": f"{word} and more"}) for number, word in enumerate(WORDS)]

# Few words, so that copies, empty texts and contradicting labels are common.
texts = st.sampled_from(
    ["", " ", "tea", "Tea ", "ｔｅａ", "tea sun", "sun", "map", "red\nmap", "!?"]
)
labels = st.sampled_from([0, 1, False, True, "", "a"])
fields = st.one_of(
    st.fixed_dictionaries({"text": texts}),
    st.fixed_dictionaries({"text": texts, "choices": st.lists(texts, max_size=2)}),
)
pools = st.lists(
    st.builds(Example, id=st.sampled_from("ABCDEFGHIJ"), fields=fields, label=labels),
    max_size=10,
    unique_by=lambda example: example.id,
)
queries = st.builds(Example, id=st.sampled_from("ABCxyz"), fields=fields)


@pytest.mark.parametrize("name", NAMES)
def test_fit_returns_itself_and_init_keeps_its_arguments(name):
    selector = build(name, seed=7)
    assert selector.seed == 7
    assert not [key for key in vars(selector) if key.endswith("_")]
    assert selector.fit(POOL) is selector
    checked: Selector = selector
    assert isinstance(checked.select(QUERIES[0], 2), list)


@pytest.mark.parametrize("name", SHOWING)
@pytest.mark.parametrize("k", [0, 1, 5, 19, 50])
def test_shows_as_many_as_asked_while_rows_last(name, k):
    shots = build(name).fit(POOL).select(POOL[3], k)
    assert len(shots) == min(k, 19)
    assert POOL[3] not in shots
    assert all(shot in POOL for shot in shots)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(pool=pools, query=queries, k=st.integers(0, 12), seed=st.integers(0, 3))
def test_never_the_query_nor_a_copy_nor_one_text_twice(name, pool, query, k, seed):
    shots = build(name, seed).fit(pool).select(query, k)
    keys = [copy_key(shot) for shot in shots]
    assert len(shots) <= k
    assert query.id not in [shot.id for shot in shots]
    assert copy_key(query) not in keys
    assert len(set(keys)) == len(keys)
    assert all(any(shot is known for known in pool) for shot in shots)
    # Leakage is not avoided by showing less than could be shown.
    distinct = {}
    for known in sorted(pool, key=lambda example: example.id):
        distinct.setdefault(copy_key(known), known.id)
    free = [key for key, id_ in distinct.items() if key != copy_key(query) and id_ != query.id]
    assert len(shots) == (0 if name == "none" else min(k, len(free)))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(data=st.data(), pool=pools, query=queries, k=st.integers(0, 6))
def test_the_order_of_the_file_decides_nothing(name, data, pool, query, k):
    mixed = data.draw(st.permutations(pool))
    swapped = [Example(e.id, dict(reversed(e.fields.items())), e.label) for e in mixed]
    expected = build(name).fit(pool).select(query, k)
    assert build(name).fit(mixed).select(query, k) == expected
    assert build(name).fit(swapped).select(query, k) == expected


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_queries_and_earlier_ones_decide_nothing(name):
    asked = QUERIES + POOL[:5]
    selector = build(name).fit(POOL)
    forward = {query.id: selector.select(query, 4) for query in asked}
    mixed = Random(1).sample(asked, len(asked))
    assert {query.id: selector.select(query, 4) for query in mixed} == forward
    assert {query.id: build(name).fit(POOL).select(query, 4) for query in mixed[:4]} == {
        query.id: forward[query.id] for query in mixed[:4]
    }


@pytest.mark.parametrize("name", NAMES)
def test_fitting_again_forgets_the_first_pool(name):
    selector = build(name).fit(POOL)
    selector.select(QUERIES[0], 3)
    again = selector.fit(POOL[:6]).select(QUERIES[0], 3)
    assert again == build(name).fit(POOL[:6]).select(QUERIES[0], 3)


@pytest.mark.parametrize("name", NAMES)
def test_the_result_and_the_pool_may_be_changed_by_the_caller(name):
    pool = list(POOL)
    selector = build(name).fit(pool)
    first = selector.select(QUERIES[0], 4)
    expected = list(first)
    first.clear()
    pool.clear()
    assert selector.select(QUERIES[0], 4) == expected


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_shots(name):
    one, other = (build(name, 5).fit(POOL) for _ in range(2))
    assert [one.select(q, 4) for q in QUERIES] == [other.select(q, 4) for q in QUERIES]


@pytest.mark.parametrize("name", ["fixed", "random", "balanced", "bm25", "k_centre"])
def test_another_seed_draws_other_shots_somewhere(name):
    # For bm25, chance only orders the rows that share no word with the query.
    asked = [Example(query.id, {"text": "zebra"}) for query in QUERIES]
    one, other = (build(name, seed).fit(POOL) for seed in (0, 1))
    assert [one.select(q, 4) for q in asked] != [other.select(q, 4) for q in asked]


@pytest.mark.parametrize("name", ["random", "balanced"])
def test_one_row_more_disturbs_little(name):
    pool = POOL * 1 + [row(number) for number in range(20, 60)]
    before, after = build(name).fit(pool), build(name).fit([*pool, row(60)])
    asked = [Example(f"q{number}", {"text": "x"}) for number in range(50)]
    kept = sum(
        {shot.id for shot in before.select(q, 4)} == {shot.id for shot in after.select(q, 4)}
        for q in asked
    )
    assert kept >= 40


@pytest.mark.parametrize("name", SHOWING)
@pytest.mark.parametrize("label", [0, False, "", 0.0, ()])
def test_a_label_that_is_false_is_a_label(name, label):
    # lighteval #1309: balanced sampling was cut short at a falsy class label.
    pool = [Example(str(i), {"text": f"tea {i}"}, label if i % 2 else "yes") for i in range(8)]
    shots = build(name).fit(pool).select(QUERIES[0], 8)
    assert len(shots) == 8
    assert sum(shot.label == label for shot in shots) == 4


@pytest.mark.parametrize("name", SHOWING)
def test_copies_in_the_pool_are_one_row_even_where_case_spacing_and_labels_differ(name):
    texts = ["tea time", "Tea  Time", " TEA TIME\n", "ｔｅａ time"]
    copies = [Example(f"c{i}", {"text": text}, i % 2) for i, text in enumerate(texts)]
    shots = build(name).fit([*copies[::-1], *POOL[:3]]).select(QUERIES[1], 9)
    assert sorted(shot.id for shot in shots) == ["c0", "r00", "r01", "r02"]
    for query in copies:  # each of them is a copy of the row that stands for all
        shots = build(name).fit([*copies, *POOL[:3]]).select(query, 9)
        assert sorted(shot.id for shot in shots) == ["r00", "r01", "r02"]


@pytest.mark.parametrize("name", SHOWING)
def test_a_class_with_one_row_is_shown_and_is_no_shot_of_its_own(name):
    pool = [*POOL[:6:2], Example("rare", {"text": "fog"}, "rare")]
    shown = build(name).fit(pool).select(QUERIES[0], 9)
    assert sorted(shot.id for shot in shown) == ["r00", "r02", "r04", "rare"]
    assert len(build(name).fit(pool).select(QUERIES[0], 2)) == 2
    for query in (pool[-1], Example("copy", {"text": "FOG "})):
        shown = build(name).fit(pool).select(query, 9)
        assert sorted(shot.id for shot in shown) == ["r00", "r02", "r04"]


@pytest.mark.parametrize("name", ["balanced", "fixed", "nearest_per_class"])
def test_labels_that_python_holds_equal_get_a_shot_each(name):
    labels = [0, False, 0.0, "", "0", ("x", 0), ("x", False)]
    pool = [Example(f"r{i:02}", {"text": f"tea {i}"}, labels[i % 7]) for i in range(28)]
    shots = build(name).fit(pool).select(QUERIES[0], 7)
    assert {label_key(shot.label) for shot in shots} == {label_key(label) for label in labels}


@pytest.mark.parametrize("name", SHOWING)
def test_a_row_without_label_is_no_demonstration(name):
    with pytest.raises(DataError, match="'bare' has no label"):
        build(name).fit([*POOL, Example("bare", {"text": "x"})])


@pytest.mark.parametrize("name", SHOWING)
def test_two_rows_with_one_id_are_an_error_and_one_row_twice_is_not(name):
    with pytest.raises(DataError, match="'r00'"):
        build(name).fit([*POOL, Example("r00", {"text": "another"}, "a")])
    twice = build(name).fit([*POOL, *POOL])
    assert twice.select(QUERIES[0], 5) == build(name).fit(POOL).select(QUERIES[0], 5)


@pytest.mark.parametrize("name", NAMES)
def test_fewer_than_no_shots_is_an_error(name):
    with pytest.raises(SpecError, match="k is -1"):
        build(name).fit(POOL).select(QUERIES[0], -1)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_pool_has_nothing_to_show(name):
    assert build(name).fit([]).select(QUERIES[0], 3) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_pool_of_the_query_alone_has_nothing_to_show(name):
    assert build(name).fit(POOL[:1]).select(POOL[0], 3) == []


@pytest.mark.parametrize("name", NAMES)
def test_rows_without_text_are_rows(name):
    pool = [Example("a", {"text": ""}, 1), Example("b", {"text": "?!"}, 0), Example("c", {}, 1)]
    shots = build(name).fit(pool).select(Example("q", {"text": "tea"}), 3)
    assert sorted(shot.id for shot in shots) == ([] if name == "none" else ["a", "b"])


@pytest.mark.parametrize("name", NAMES)
def test_any_json_value_may_stand_in_a_field(name):
    pool = [
        Example(str(i), {"n": i, "x": None, "c": ["tea", i, {"k": True}], "d": {"e": [0.5]}}, i)
        for i in range(4)
    ]
    shots = build(name).fit(pool).select(pool[0], 9)
    assert len(shots) == (0 if name == "none" else 3)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_an_error_that_names_the_nearest(name):
    with pytest.raises(SpecError, match="did you mean 'seed'"):
        SELECTORS.build(name, {"sed": 1})


def test_an_unknown_selector_is_an_error_that_names_the_nearest():
    with pytest.raises(PromptkitError, match="did you mean 'nearest'"):
        SELECTORS.load("neerest")
