"""The cloze of a template: checked when it is read, one slot when it is rendered."""

import pytest

from promptkit.errors import SpecError
from promptkit.prompts import Template, find_template
from promptkit.prompts.flatten import stripped
from promptkit.prompts.sandbox import SLOT
from promptkit.types import Example, Piece, flat

BODY = """name: t
description: d
task:
  fields: [{field}]
query: "{{{{ {field} }}}}"
labels:
  a: {{words: [a]}}
  b: {{words: [b]}}
cloze: '{cloze}'
"""


@pytest.fixture
def template(tmp_path):
    def made(cloze, field="text"):
        file = tmp_path / "t.yaml"
        file.write_text(BODY.format(cloze=cloze, field=field))
        return Template.read(file)

    return made


def test_the_slot_is_a_piece_of_its_own(template):
    prompt = template("{{ text }} It was {{ mask }}.").prompt(Example("1", {"text": "Fine."}))
    assert prompt.cloze == (
        Piece("Fine.", True),
        Piece(" It was "),
        Piece(SLOT),
        Piece("."),
    )


def test_a_slot_may_stand_first_and_last(template):
    row = Example("1", {"text": "Fine."})
    assert template("{{ mask }}: {{ text }}").prompt(row).cloze[0] == Piece(SLOT)
    assert template("{{ text }}{{- mask -}}").prompt(row).cloze[-1] == Piece(SLOT)


def test_a_template_without_a_cloze_has_none():
    prompt = find_template("sentiment_zero_shot").prompt(Example("1", {"text": "Fine."}))
    assert prompt.cloze == ()


@pytest.mark.parametrize(
    ("cloze", "message"),
    [
        ("{{ text }} It was.", "once, as it stands.*prints it 0 times"),
        ("{{ mask }} {{ text }} {{ mask }}", "prints it 2 times"),
        ("{{ text }} {{ mask | upper }}", "prints it 0 times"),
        ("{{ text }} {{ mask }} {{ other }}", "no field or variable 'other'"),
    ],
)
def test_a_cloze_without_one_slot_is_refused_with_file_line_and_key(template, cloze, message):
    with pytest.raises(SpecError, match=rf"t\.yaml line 9, key 'cloze'.*{message}"):
        template(cloze)


def test_a_field_named_mask_is_refused(template):
    with pytest.raises(SpecError, match="give it another name"):
        template("{{ mask }}", field="mask")


def test_the_slot_may_stand_in_each_branch_of_a_condition(template):
    either = template("{% if text %}{{ text }} {{ mask }}{% else %}{{ mask }}{% endif %}")
    for text in ("Fine.", ""):
        prompt = either.prompt(Example("1", {"text": text}))
        assert [piece.text for piece in prompt.cloze].count(SLOT) == 1


@pytest.mark.parametrize(
    "cloze",
    [
        "{% if text == 2 %}{{ mask }}{% endif %} {{ text }}",
        "{% for x in [1, 2] %}{{ mask }}{% endfor %} {{ text }}",
        "{% set x %}{{ mask }}{% endset %}{{ x }} {{ text }}",
    ],
)
def test_a_row_that_prints_no_slot_or_two_is_named(template, cloze):
    with pytest.raises(SpecError, match=r"key 'cloze': prints \{\{ mask \}\} [02] times \(row '7'"):
        template(cloze).prompt(Example("7", {"text": "Fine."}))


def test_a_row_cannot_bring_a_slot(template):
    cloze = template("{{ text }} It was {{ mask }}.").prompt(Example("1", {"text": SLOT})).cloze
    assert [piece.text for piece in cloze].count(SLOT) == 1


def test_a_demonstrations_cloze_holds_its_word_without_the_blank_of_the_answer(template):
    shot = Example("s", {"text": "Bad."}, "a")
    made = template("{{ text }} It was {{ mask }}.").prompt(Example("1", {"text": "x"}), [shot])
    assert flat(made.shots[0].cloze) == "Bad. It was a."


def test_the_packaged_cloze_says_one_word_a_label():
    template = find_template("sentiment_cloze")
    row = Example("1", {"text": "Fine."})
    assert flat(template.prompt(row).cloze) == f"Fine. It was {SLOT}."
    words = [flat(one.text) for one in template.candidates(row, "text")]
    assert words == [" terrible", " okay", " great"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ((Piece(" "), Piece("good ", True)), "good"),
        ((Piece(" is "), Piece(" good", True), Piece(".\n")), "is  good."),
        ((Piece(" "),), " "),
    ],
)
def test_a_text_loses_white_space_at_its_ends_alone(text, expected):
    assert flat(stripped(text)) == expected
