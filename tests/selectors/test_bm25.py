import math

import pytest

from promptkit.selectors.bm25 import BM25Selector, words
from promptkit.types import Example


def rows(*texts):
    return [Example(f"r{i}", {"t": text}, i % 2) for i, text in enumerate(texts)]


def ids(shots):
    return [shot.id for shot in shots]


def test_a_rare_word_counts_more_than_a_common_one():
    pool = rows("the cat", "the dog", "the hen", "a fox")
    first = BM25Selector(order="nearest_first").fit(pool)
    query = Example("q", {"t": "The HEN!"})
    assert ids(first.select(query, 3)) == ["r2", "r0", "r1"]
    assert ids(BM25Selector().fit(pool).select(query, 3)) == ["r1", "r0", "r2"]


def test_scores_are_those_of_the_formula():
    # One document of two holds "hen"; both have two words: idf = ln(1 + 1.5 / 1.5), and the term
    # weight is 1 / (1 + 1.5) without the constant factor that Lucene leaves out.
    selector = BM25Selector().fit(rows("a hen", "a fox"))
    scores = selector._scores(Example("q", {"t": "hen"}))
    assert scores == pytest.approx([math.log(2) / 2.5, 0])


def test_rows_without_a_shared_word_come_after_all_others_in_a_drawn_order():
    pool = rows("hen", *(f"w{i}" for i in range(12)))
    selector = BM25Selector(order="nearest_first").fit(pool)
    drawn = set()
    for number in range(20):
        shots = ids(selector.select(Example(f"q{number}", {"t": "a hen"}), 4))
        assert shots[0] == "r0"
        drawn.add(tuple(shots[1:]))
    assert len(drawn) > 10


def test_ties_go_to_the_lower_id():
    pool = rows("hen a", "hen b", "hen c", "fox")
    selector = BM25Selector(order="nearest_first").fit(pool[::-1])
    assert ids(selector.select(Example("q", {"t": "hen"}), 2)) == ["r0", "r1"]


def test_a_copy_of_the_query_is_not_its_own_best_match():
    selector = BM25Selector().fit(rows("Tea  time", "tea cup"))
    assert ids(selector.select(Example("q", {"t": "tea time"}), 1)) == ["r1"]


def test_the_words_of_choices_count():
    pool = [Example(n, {"q": "which", "choices": ["x", n]}, 0) for n in ("ash", "oak", "elm")]
    query = Example("q", {"q": "what", "choices": ["oak", "fir"]})
    assert ids(BM25Selector().fit(pool).select(query, 1)) == ["oak"]


@pytest.mark.parametrize("text", ["", "?!", "zebra"])
def test_a_query_without_a_known_word_is_drawn_for(text):
    shots = BM25Selector().fit(rows("hen", "fox", "")).select(Example("q", {"t": text}), 3)
    assert len(shots) == (2 if text == "" else 3)


def test_a_pool_without_a_word_is_drawn_from():
    shots = BM25Selector().fit(rows("!", "?")).select(Example("q", {"t": "hen"}), 3)
    assert len(shots) == 2


def test_nothing_is_printed(capfd):
    BM25Selector().fit(rows("hen", "fox")).select(Example("q", {"t": "hen"}), 1)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't STOP", ["don", "t", "stop"]),
        ("ﬁve ＡＢ", ["five", "ab"]),
        ("été 42", ["été", "42"]),
        ("東京 is Tokyo", ["東", "京", "is", "tokyo"]),
        ("?!", []),
    ],
)
def test_words(text, expected):
    assert words(text) == expected
