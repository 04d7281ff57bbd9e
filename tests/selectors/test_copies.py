import pytest

from promptkit.selectors.copies import copy_key, text_of
from promptkit.types import Example


def key(**fields):
    return copy_key(Example("x", fields))


@pytest.mark.parametrize(
    "other",
    [
        "the  strasse\n",
        "\tThe Straße",
        "ＴＨＥ ＳＴＲＡＳＳＥ",
        "The\u00a0Strasse",
        "The\u2028Strasse",
    ],
)
def test_case_white_space_and_unicode_form_make_no_difference(other):
    assert key(text=other) == key(text="The Strasse")


def test_composed_and_combining_letters_are_one():
    assert key(text="cafe\u0301") == key(text="CAF\u00c9")


def test_folding_ends_in_the_normal_form():
    # "ΰ" folds to three characters that NFKC puts together again.
    assert key(text="\u03b0") == key(text="\u03c5\u0308\u0301")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"text": "tea"}, {"text": "tea."}),
        ({"a": "x", "b": "y"}, {"a": "y", "b": "x"}),
        ({"a": "x y", "b": "z"}, {"a": "x", "b": "y z"}),
        ({"c": ["x y"]}, {"c": ["x", "y"]}),
        ({"c": ["x", "y"]}, {"c": ["y", "x"]}),
        ({"c": ["", "y"]}, {"c": ["y"]}),
        ({"text": "x", "more": "y"}, {"text": "x"}),
        ({"n": 1}, {"n": 2}),
    ],
)
def test_other_content_is_another_text(one, other):
    assert key(**one) != key(**other)


def test_the_order_of_fields_the_id_and_the_label_make_no_difference():
    one = Example("1", {"a": "x", "b": ["y"]}, "pos")
    other = Example("2", {"b": ("Y",), "a": "x"}, "neg")
    assert copy_key(one) == copy_key(other)
    assert text_of(one) == text_of(Example("3", {"b": ["y"], "a": "x"}))


def test_a_field_that_is_absent_is_like_one_that_is_empty():
    assert key(text="x") == key(text="x", note=None) == key(text="x", note=" ")


def test_text_keeps_the_writing_and_gives_a_line_to_each_item():
    fields = {"question": "Who?", "choices": ["Ann", "Bob"], "n": 3, "note": None, "z": ""}
    assert text_of(Example("x", fields)) == "Ann\nBob\n3\nWho?"


def test_a_lone_surrogate_is_text():
    assert key(text="\ud800") != key(text="\ud801")
