"""A template for rows that come without one."""

import pytest

from promptkit.errors import SpecError
from promptkit.runs.plain import field_names, template_for
from promptkit.types import Example, flat


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        (["negative", "positive"], "sentiment_binary_zero_shot"),
        (["negative", "neutral", "positive"], "sentiment_zero_shot"),
        (["neutral", "positive"], "sentiment_zero_shot"),
        (["negative", "positive", "mixed"], "plain"),
        (["spam", "ham"], "plain"),
        ([0, 1], "plain"),
        ([], "plain"),
    ],
)
def test_an_in_box_template_serves_where_the_labels_are_its_own(labels, name):
    template = template_for(labels, ["text"])
    assert template.name == name
    assert template.task.labels == tuple(labels)
    assert template.task.fields == ("text",)


def test_labels_keep_their_spelling_and_are_said_in_the_templates_words():
    template = template_for(["Positive", "NEGATIVE"], ["text"])
    row = Example("1", {"text": "good"})
    told = template.candidates(row, "text")
    assert list(dict.fromkeys(one.label for one in told)) == ["Positive", "NEGATIVE"]
    assert all(one.label not in flat(one.text) for one in told)


def test_two_spellings_of_one_label_are_two_labels():
    assert template_for(["Positive", "positive"], ["text"]).name == "plain"


def test_several_columns_become_fields_that_a_form_can_hold():
    assert field_names(["sentence 1", "sentence-1", "label", "2"]) == (
        "sentence_1",
        "sentence_1_",
        "label_",
        "field_2",
    )
    template = template_for([0, 1], ["sentence_1", "field_2"])
    prompt = template.prompt(Example("1", {"sentence_1": "a b", "field_2": "c"}))
    assert "".join(piece.text for piece in prompt.query) == "Sentence 1: a b\nField 2: c\nLabel:"


def test_one_column_is_the_text_whatever_it_is_called():
    assert field_names(["the review"]) == ("text",)


def test_one_label_or_no_column_is_an_error():
    with pytest.raises(SpecError, match="at least two"):
        template_for(["a"], ["text"])
    with pytest.raises(SpecError, match="--text-field"):
        template_for(["a", "b"], [])
