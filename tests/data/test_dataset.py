import pytest

from promptkit.data import Dataset, from_records
from promptkit.types import Example


@pytest.fixture
def rows():
    labels = [0, False, "0", 1, None]
    records = [{"text": f"row {i}", "label": label} for i, label in enumerate(labels)]
    return from_records(records, fields=("text",), require_labels=False, labels=[0, False, "0", 1])


def test_the_first_rows_keep_ids_and_numbers(rows):
    first = rows.limited(2)
    assert first.examples == rows.examples[:2]
    assert first.where(1) == "records row 2"
    assert rows.limited(None) is rows
    assert len(rows.limited(99)) == 5
    assert len(rows.limited(0)) == 0


def test_labels_that_python_takes_for_equal_are_told_apart(rows):
    assert [row.label for row in rows.only_labels([False])] == [False]
    assert rows.only_labels([0]).examples == rows.examples[:1]
    assert [type(row.label) for row in rows.without([0])] == [bool, str, int, type(None)]
    assert rows.without([0]).labels == (False, "0", 1)
    assert rows.only_labels(["0"]).labels == ("0",)


def test_rows_that_were_taken_know_their_lines(rows):
    assert rows.only_labels([1]).where(0) == "records row 4"


def test_undeclared_labels_stay_undeclared():
    rows = from_records([{"text": "a", "label": "x"}], fields=("text",))
    assert rows.only_labels(["x"]).labels is None
    assert rows.without(["x"]).labels is None


def test_rows_are_counted_by_label_declared_ones_first():
    records = [{"text": "a", "label": label} for label in ("y", "x", "y")]
    rows = from_records(records, fields=("text",), labels=["z", "x"])
    assert list(rows.counts().items()) == [("z", 0), ("x", 1), ("y", 2)]


def test_a_row_made_by_hand_has_a_place_too():
    rows = Dataset("mine", "all", (Example("1", {"text": "a"}),))
    assert rows.where(0) == "mine row 1"


@pytest.mark.parametrize(
    "other",
    [
        Example("2", {"text": "a"}, 1),
        Example("1", {"text": "b"}, 1),
        Example("1", {"text": "a"}, True),
        Example("1", {"text": "a"}, "1"),
        Example("1", {"text": "a"}, None),
    ],
)
def test_the_hash_changes_with_id_field_label_and_its_type(other):
    one = Dataset("mine", "all", (Example("1", {"text": "a"}, 1),))
    assert one.content_hash() != Dataset("mine", "all", (other,)).content_hash()


def test_the_hash_changes_with_order_and_not_with_the_name():
    a, b = Example("1", {"text": "a"}, 1), Example("2", {"text": "b"}, 1)
    assert Dataset("m", "s", (a, b)).content_hash() != Dataset("m", "s", (b, a)).content_hash()
    assert Dataset("m", "s", (a, b)).content_hash() == Dataset("n", "t", (a, b)).content_hash()
    assert len(Dataset("m", "s", (a, b)).content_hash()) == 16


def test_a_hash_is_the_same_on_every_machine():
    # Stored runs are found by it: a change here orphans them.
    one = Dataset("mine", "all", (Example("1", {"text": "é"}, "x"),))
    assert one.content_hash() == "9bfafb16133168df"
