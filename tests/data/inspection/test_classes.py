"""What is the matter with labels, of every kind of task."""

import pytest

from promptkit.data.inspection.classes import classes, parts_of, with_lists
from tests.data.inspection.rows import rows_of, spots


def found(labels, declared=None, splits=("all",)):
    rows = rows_of(*[("t", *one) if isinstance(one, tuple) and one and one[-1] in splits
                     and len(splits) > 1 else ("t", one) for one in labels])  # fmt: skip
    return {one.kind: one for one in classes(rows, splits, declared)}


def test_names_that_differ_in_case_space_or_form_only_are_told():
    told = found(["Pos"] * 5 + ["pos", " pos", "ＰＯＳ", "neg"] + ["neg"] * 5)["labels-alike"]
    assert told.severity == "misleads"
    assert told.note == "'Pos' (5) / 'pos' (1) / ' pos' (1) / 'ＰＯＳ' (1)"
    assert [spot.row for spot in told.spots] == [5, 6, 7]


@pytest.mark.parametrize(
    ("labels", "how"),
    [
        (["a b", "a  b"], "space"), (["A", "a"], "case"), (["é", "e\u0301"], "Unicode form"),
        (["1", 1], "one is no text"), (["A ", "a"], "case, space or Unicode form"),
    ],
)  # fmt: skip
def test_how_they_differ_is_told(labels, how):
    assert found([*labels, "z"])["labels-alike"].spots[0].note.endswith(how)


def test_missing_rare_and_lopsided_labels():
    told = found([*["a"] * 50, *["b"] * 3, None, " "])
    assert set(told) == {"no-label", "lopsided", "rare-label"}
    assert [spot.row for spot in told["no-label"].spots] == [53, 54]
    assert told["rare-label"].note == "1 of 2 labels: 'b'"
    assert told["lopsided"].note.endswith("are 'a'")
    assert "one-label" in found(["a"] * 9)


def test_rows_without_any_label_are_no_finding():
    assert found([None] * 9) == {}


def test_labels_of_one_split_alone():
    rows = [("a", "train")] * 6 + [("b", "train")] * 6 + [("a", "test"), ("c", "test")]
    told = found(rows, splits=("train", "test"))
    assert told["label-not-in-train"].severity == "misleads"
    assert [spot.row for spot in told["label-not-in-train"].spots] == [13]
    assert told["label-only-in-train"].note == "'b'"


def test_labels_that_the_card_does_not_name_break_a_run():
    assert found(["a", "b", "A"], declared=("a", "c"))["undeclared"].note == "'b'"


def test_a_list_of_labels_counts_each_of_them():
    told = found([("x", "y")] * 6 + [("x", "Y")] + ['["x", "z"]'] * 6)
    assert told["labels-alike"].note == "'y' (6) / 'Y' (1)"
    assert "rare-label" in told
    assert parts_of('["x", "z"]') == ("x", "z")
    assert parts_of("[not a list]") == ("[not a list]",)
    assert parts_of('[["x"]]') == ('[["x"]]',)


def test_rows_in_the_order_of_their_labels_are_told():
    assert found(["a"] * 15 + ["b"] * 15)["in-order"].note == "all"
    assert "in-order" not in found(["a", "b", "b"] * 10)
    assert "in-order" not in found(["a"] * 6 + ["b"] * 6)


def test_several_labels_in_one_cell_are_told_apart_where_that_leaves_fewer():
    cells = ["price", "delivery", "price; delivery", "", 3]
    assert [row.label for row in with_lists(rows_of(*(("t", one) for one in cells)))] == [
        ("price",), ("delivery",), ("price", "delivery"), "", 3,
    ]  # fmt: skip
    meals = rows_of(("t", "fish; chips"), ("t", "pizza"))
    assert with_lists(meals) == meals


def test_ratings_may_each_be_rare():
    assert found([f"{n / 10}" for n in range(60)]) == {}


def test_texts_as_labels_are_told_as_such():
    told = found([f"answer {n}" for n in range(60)])
    assert list(told) == ["labels-like-text"]


def test_no_split_called_train_is_no_matter():
    rows = [("a", "one")] * 6 + [("b", "two")] * 6
    assert spots(found(rows, splits=("one", "two")).values()) == {}
