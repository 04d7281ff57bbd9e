import pytest

from promptkit.errors import SpecError
from promptkit.prompts import find_template
from promptkit.prompts.label_words import with_words
from promptkit.prompts.written import labels_text, template_from
from promptkit.types import Example, flat

ROW = Example("1", {"text": "Fine."})
SENTIMENT = find_template("sentiment_zero_shot")
WORDS = (("negative", ["bad", "awful"]), ("neutral", ["fine"]), ("positive", ["great"]))


def said(template):
    return [(one.label, flat(one.text)) for one in template.candidates(ROW, "text")]


def test_labels_are_said_by_the_new_words_and_keep_their_statements():
    changed = with_words(SENTIMENT, WORDS)
    assert said(changed) == [
        ("negative", " bad"), ("negative", " awful"), ("neutral", " fine"), ("positive", " great"),
    ]  # fmt: skip
    assert changed.statements() == SENTIMENT.statements()
    assert changed.hash() != SENTIMENT.hash()
    assert said(SENTIMENT) != said(changed)


def test_words_that_the_prompt_lists_are_the_new_ones():
    listing = template_from(
        "name: mine\ndescription: Mine.\ntask:\n  fields: [text]\nlabels: open\n"
        "any_label: {words: ['{{ label }}']}\nquery: '{{ text }}'\n"
        "instruction: \"{{ words | join(', ') }}?\"\n",
        "mine.yaml",
    ).with_labels(["negative", "neutral", "positive"])
    assert flat(listing.prompt(ROW).instruction) == "negative, neutral, positive?"
    assert flat(with_words(listing, WORDS).prompt(ROW).instruction) == "bad, fine, great?"


def test_labels_in_use_are_the_only_ones_that_need_words():
    two = SENTIMENT.with_labels(["positive", "negative"])
    changed = with_words(two, WORDS)
    assert changed.task.labels == ("positive", "negative")
    with pytest.raises(SpecError, match="label 'neutral' has no words"):
        with_words(SENTIMENT, WORDS[::2])


@pytest.mark.parametrize("labels", [[1, "1"], [0, "0"], [True, "true"]])
def test_open_labels_become_declared_ones_told_apart_by_type(labels):
    template = find_template("topic_zero_shot").with_labels(labels)
    changed = with_words(template, [(label, [f"word{i}"]) for i, label in enumerate(labels)])
    assert said(changed) == [(label, f" word{i}") for i, label in enumerate(labels)]
    assert changed.task.labels == tuple(labels)
    assert not changed.open


def test_rows_with_their_own_choices_have_no_words_to_change():
    with pytest.raises(SpecError, match="no labels that all rows share"):
        with_words(find_template("multiple_choice"), WORDS)


@pytest.mark.parametrize("labels", [["no", 0], [False, True], ["1", "é 'x'"]])
def test_the_block_can_be_pasted_into_a_file(labels):
    words = [(label, [f'wörd "{i}"', "null"]) for i, label in enumerate(labels)]
    template = with_words(find_template("topic_zero_shot").with_labels(labels), words)
    file = (
        "name: mine\ndescription: Mine.\ntask:\n  fields: [text]\n"
        'query: "{{ text }}\\nIt is"\n' + labels_text(template)
    )
    read = template_from(file, "mine.yaml")
    assert read.task.labels == tuple(labels)
    assert said(read) == said(template)
    assert read.statements() == template.statements()
