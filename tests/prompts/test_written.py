"""A template that is written and read again is the same template."""

import pytest

from promptkit.errors import SpecError
from promptkit.prompts import Template, find_template, template_paths
from promptkit.prompts.written import template_from, template_text


@pytest.mark.parametrize("name", list(template_paths()))
def test_every_in_box_template_comes_back_as_it_was(name):
    template = find_template(name)
    text = template_text(template)
    assert text.isascii()
    assert template_from(text, "kept").hash() == template.hash()


def test_labels_keep_their_types_and_texts_their_look(tmp_path):
    file = tmp_path / "odd.yaml"
    file.write_text(
        "name: odd\ndescription: 'a: \u00e9 \u2028 \\t'\ntask: {fields: [text]}\n"
        "query: '{{ text }}'\nlabels:\n  3: {words: ['1e5']}\n  '2': {words: ['no']}\n"
        "  true: {words: ['012']}\n  'false': {words: ['~']}\n  1.5: {words: ['  x']}\n"
    )
    template = Template.read(file)
    again = template_from(template_text(template), "kept")
    assert again.hash() == template.hash()
    assert [(type(x), x) for x in again.declared] == [(type(x), x) for x in template.declared]


def test_a_change_made_in_python_is_kept():
    template = find_template("sentiment_zero_shot")
    chat = Template(template.keys.model_copy(update={"chat": True}), template.file)
    assert template_from(template_text(chat), "kept").keys.chat


def test_what_is_no_template_is_said_with_its_place():
    with pytest.raises(SpecError, match=r"kept line 1.*unknown key"):
        template_from("nmae: x", "kept")
