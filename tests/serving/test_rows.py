"""Rows of requests: what is read of them, and what of them cannot be."""

import pytest

from promptkit.prompts import find_template
from promptkit.serving.rows import Reader, characters


def reader(name, **columns):
    template = find_template(name)
    return Reader(template, {field: columns.get(field, field) for field in template.task.fields})


ONE = reader("sentiment_zero_shot")


def test_a_row_by_its_field_or_as_a_text_alone():
    row, alone = ONE.read({"text": "a café"}), ONE.read("a café")
    assert row.example == alone.example
    assert row.example.fields == {"text": "a café"}
    assert (row.problem, row.id) == ("", None)


def test_what_is_read_names_the_row_and_nothing_beside_it_does():
    plain = ONE.read({"text": "a"})
    assert ONE.read({"text": "a", "label": "x", "other": [1]}).example == plain.example
    assert ONE.read({"text": "a", "id": "mine"}).example == plain.example


@pytest.mark.parametrize(("given", "known"), [("r1", "r1"), (7, 7), (True, None), ([1], None)])
def test_a_rows_own_id_is_kept_where_it_is_a_name(given, known):
    assert ONE.read({"text": "a", "id": given}).id == known
    assert ONE.read({"id": given}).id == known


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (None, "neither an object with fields nor a text"),
        (5, "neither an object"),
        (["a"], "neither an object"),
        ({}, "no 'text'"),
        ({"TEXT": "a"}, "no 'text'"),
        ({"text": None}, "'text' is empty"),
        ({"text": " \n"}, "'text' is empty"),
        ("", "'text' is empty"),
        ({"text": []}, "'text' is empty"),
        ({"text": "a\ud83d"}, "half a character"),
        ("\udc00", "half a character"),
        ({"text": {"a": {"b": ["\ud83d"]}}}, "half a character"),
        ({"text": [[[[[[[[[["a"]]]]]]]]]]}, "nested too deeply"),
    ],
)
def test_what_cannot_be_read_has_a_problem(row, why):
    found = ONE.read(row)
    assert found.example is None
    assert why in found.problem


def test_numbers_are_read_as_texts():
    assert ONE.read({"text": 12}).example.fields == {"text": "12"}


def test_a_nesting_that_no_stack_holds_is_a_problem_and_no_crash():
    deep = "a"
    for _ in range(5000):
        deep = [deep]
    assert "nested too deeply" in ONE.read({"text": deep}).problem
    assert characters(deep) == 1


def test_columns_of_the_training_rows_and_fields_are_both_understood():
    learned = reader("sentiment_zero_shot", text="body")
    for row in ({"body": "a"}, {"text": "a"}, {"body": "a", "text": "b"}, "a"):
        assert learned.read(row).example.fields == {"text": "a"}
    assert learned.read({"other": "a"}).problem == "no 'body'"


def test_several_fields_and_no_text_alone():
    pair = reader("entailment_zero_shot")
    assert pair.read({"premise": "a", "hypothesis": "b"}).example is not None
    assert "no 'hypothesis'" in pair.read({"premise": "a"}).problem
    assert "text alone, and 'premise', 'hypothesis' are read" in pair.read("a").problem


def test_choices_are_checked_row_by_row():
    choosing = reader("multiple_choice")
    fields = choosing.template.task.fields
    listed = choosing.template.task.choices
    row = {name: "a question" for name in fields}
    assert choosing.read({**row, listed: ["one", "two"]}).example is not None
    for wrong in ("one", ["one"], ["same", "same"], ["", "two"], {"a": 1}, 5):
        found = choosing.read({**row, listed: wrong})
        assert found.example is None
        assert found.problem
        assert not found.problem.startswith("row ")  # its name is a hash that nobody gave it


def test_words_are_checked_row_by_row():
    tagging = reader("part_of_speech")
    (name,) = tagging.template.task.fields
    assert tagging.read({name: ["a", "b"]}).example is not None
    assert tagging.read("a b").example is not None
    assert "list of words" in tagging.read({name: ["a", 1]}).problem


def test_characters_are_counted_wherever_they_stand():
    assert characters({"text": "abc", "more": [{"x": "de"}, 1, None]}) == 4 + 3 + 4 + 1 + 2
    assert characters("abc") == 3
    assert characters(None) == 0
