from promptkit.selectors.draw import ranker
from promptkit.selectors.pool import Pool
from promptkit.types import Example, label_key


def test_a_text_under_two_labels_counts_once_as_the_row_with_the_lowest_id():
    rows = [Example("b", {"t": "Tea"}, "x"), Example("a", {"t": "tea "}, "y")]
    assert [row.id for row in Pool.of(rows).rows] == ["a"]


def test_the_query_is_barred_by_id_and_its_copy_by_text():
    pool = Pool.of([Example(name, {"t": name}, 1) for name in "abc"])
    assert pool.barred(Example("a", {"t": "C"})) == {0, 2}
    assert pool.barred(Example("a", {"t": "a"})) == {0}
    assert [row.id for row in pool.others(Example("q", {"t": "B"}))] == ["a", "c"]


def test_labels_are_told_apart_by_type():
    labels = [1, True, 1.0, "1", (1,), (True,), 0, False, ""]
    assert len({label_key(label) for label in labels}) == len(labels)


def test_ranks_are_the_documented_hash():
    # sha256(b"7/q/row"), so that a draw can be checked with any other tool.
    expected = "e35a55f1faae527f"
    assert ranker(7, "q")("row").hex().startswith(expected)


def test_ids_that_no_encoding_takes_are_ranked():
    assert len(ranker(0, "\ud800")("\ud801")) == 32
