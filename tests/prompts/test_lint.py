"""Advice about templates that are right but may mislead."""

import pytest

from promptkit.prompts.lint import advice
from tests.prompts.build import CLASSIFY, OPEN_LABELS, template_of


def test_a_clean_template_gets_no_advice():
    assert advice(template_of()) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("It is\"", "It is \"", "query ends in white space"),
        ("encoder:", "answer: '{{ word }}'\nencoder:", "answer begins without white space"),
        ("encoder:", "answer: '{{ word }}'\nchat: true\nprefill: 'So:'\nencoder:",
         "answer begins without white space"),
        ("encoder:", "chat: true\nprefill: '[INST]So:'\nencoder:", "prefill holds '[INST]'"),
        ("Text:", "<|im_start|>Text:", "query holds '<|im_start|>': use 'chat: true'"),
        ("Say", "[INST] Say", "instruction holds '[INST]'"),
        ("[text]", "[text, title]", "field 'title' is used nowhere"),
        ('encoder: {text: "{{ text }}"}\n', "", "no encoder text"),
        (', statements: ["It is bad."]', "", "label 'neg' has no statements"),
        ("[good]", "[' good']", "word ' good': white space belongs into the answer form"),
        ("[good]", "[Bad]", "the word 'Bad' stands for 'neg' and for 'pos'"),
        ("name: t", "name: other", "its file is not called other.yaml"),
    ],
)  # fmt: skip
def test_each_thing_to_mind_is_told_once(old, new, said):
    found = advice(template_of(CLASSIFY, (old, new)))
    assert len([line for line in found if said in line]) == 1, found
    assert len(found) == 1, found


def test_chats_may_end_and_answer_as_they_like():
    changes = [('It is"', 'It is\\n"'), ("encoder:", "chat: true\nanswer: '{{ word }}'\nencoder:")]
    assert advice(template_of(CLASSIFY, *changes)) == []


def test_a_word_of_0_and_false_is_told():
    text = CLASSIFY.replace("  neg:", "  0:").replace("  pos:", "  'False':")
    found = advice(template_of(text, ("[good]", "[bad]")))
    assert found == ["the word 'bad' stands for 0 and for 'False'"]


def test_a_field_that_only_statements_of_open_labels_show_is_used():
    shown = ("{{ label }}: {{ text }}", "{{ label }}: {{ title }}")
    found = advice(template_of(OPEN_LABELS, ("[text]", "[text, title]"), shown))
    assert "field 'title' is used nowhere" not in found
