"""What a template says about its labels, as rows."""

import pytest

from promptkit.errors import DataError, SpecError
from promptkit.prompts import find_template
from promptkit.prompts.label_rows import label_rows, rows_about
from promptkit.runs.plain import plain_template


def told(template):
    return [(row.label, row.fields["text"]) for row in label_rows(template)]


def test_every_statement_is_a_row_of_its_label():
    template = find_template("sentiment_zero_shot")
    rows = label_rows(template)
    labels = template.keys.labels
    assert told(template) == [(k, text) for k, own in labels.items() for text in own.statements]
    assert len({row.id for row in rows}) == len(rows) == 48


def test_labels_left_open_are_said_by_name_once_they_are_known():
    open_ = plain_template(["text"])
    assert told(open_) == []
    assert told(open_.with_labels(["card_fee", "refund"])) == [
        ("card_fee", "card fee"),
        ("card_fee", "This text is about card fee."),
        ("refund", "refund"),
        ("refund", "This text is about refund."),
    ]


def test_a_label_without_a_letter_says_nothing_by_its_name():
    assert told(plain_template(["text"]).with_labels([0, 1])) == []
    assert told(plain_template(["text"]).with_labels(["0", "one"])) == [
        ("one", "one"),
        ("one", "This text is about one."),
    ]


@pytest.mark.parametrize("name", ["entailment_zero_shot", "multiple_choice"])
def test_statements_that_depend_on_the_row_are_no_rows(name):
    assert label_rows(find_template(name)) == ()


def test_a_row_of_several_fields_is_no_statement():
    assert label_rows(plain_template(["title", "body"]).with_labels(["a", "b"])) == ()


def test_what_is_said_by_hand_is_checked():
    rows = rows_about({"good": ["I love it."]}, ["text"], ["good", "bad"])
    assert [(row.fields, row.label) for row in rows] == [({"text": "I love it."}, "good")]
    assert rows_about({}, ["title", "body"]) == ()
    with pytest.raises(SpecError, match="'nice' is none of the labels"):
        rows_about({"nice": ["a"]}, ["text"], ["good", "bad"])
    with pytest.raises(SpecError, match="a list of texts"):
        rows_about({"good": "I love it."}, ["text"])
    with pytest.raises(SpecError, match="rows of one field"):
        rows_about({"good": ["a"]}, ["title", "body"])
    with pytest.raises(DataError, match="number 2 is empty"):
        rows_about({"good": ["a", " "]}, ["text"])
