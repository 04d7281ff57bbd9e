"""A row in, a structured prompt and its candidates out."""

import hashlib
from dataclasses import replace

import pytest

from promptkit.errors import DataError, SpecError
from promptkit.prompts.label_names import plain_words
from promptkit.prompts.library import template_paths
from promptkit.prompts.lint import advice
from promptkit.prompts.parts_asked import first_part
from promptkit.prompts.template import Template
from promptkit.types import flat
from tests.prompts.build import CHOOSE, CLASSIFY, OPEN_LABELS, row, template_of

QUESTION = {"question": "What?", "choices": ["red", "blue"]}


@pytest.mark.parametrize("name", sorted(template_paths()))
def test_every_shipped_template_is_clean_and_renders(name):
    template = Template.read(template_paths()[name])
    assert advice(template) == []
    if template.open:
        template = template.with_labels(["first_label", "second"])
    fields = {field: f"some {field}" for field in template.task.fields}
    if template.choosing:
        fields["choices"] = ["red", "blue"]
    if template.task.kind == "tag":
        fields["tokens"] = ["some", "tokens"]
    tags = ("NOUN", "VERB") if template.task.kind == "tag" else None
    template, asked, _, _ = first_part(template, row(tags, **fields))
    fields, asked = dict(asked.fields), replace(asked, label=None)
    label = "some text"
    if not template.writing:
        label = 0 if template.choosing else template.task.labels[0]
    prompt = template.prompt(asked, [replace(asked, id="2", label=label)])
    first = "token" if tags else template.task.fields[0]
    assert fields[first] in flat(prompt.query)
    assert fields[first] in flat(prompt.encoded)
    assert flat(prompt.shots[0].answer).strip()
    if template.writing:
        assert template.candidates(asked, "text") == ()
        return
    for reads in ("text", "statements"):
        found = template.candidates(asked, reads)
        assert [c.label for c in found if c.label == label]
    assert all(found.statements for found in template.candidates(row(**fields), "statements"))


def test_a_prompt_keeps_its_parts_apart():
    prompt = template_of().prompt(row(), [row("pos", "2", text="nice")])
    assert flat(prompt.instruction) == "Say bad or good."
    assert flat(prompt.query) == "Text: fine\nIt is"
    assert [(flat(s.query), flat(s.answer)) for s in prompt.shots] == [
        ("Text: nice\nIt is", " good")
    ]
    assert [p.text for p in prompt.query if p.row] == ["fine"]


def test_candidates_are_words_for_models_and_statements_for_encoders():
    template = template_of()
    words = template.candidates(row(), "text")
    assert [(c.label, flat(c.text)) for c in words] == [
        ("neg", " bad"), ("neg", " poor"), ("pos", " good")]  # fmt: skip
    told = template.candidates(row(), "statements")
    assert [(c.label, c.statements) for c in told] == [
        ("neg", ("It is bad.",)), ("pos", ("It is good.", "I like it."))]  # fmt: skip


def test_statements_may_speak_of_the_row():
    template = template_of(OPEN_LABELS).with_labels(["a_b", "c"])
    for text in ("one", "two"):
        told = template.candidates(row(text=text), "statements")
        assert told[0].statements == ("about a b", f"a b: {text}")


def test_labels_can_be_narrowed_and_keep_their_order():
    template = template_of(CLASSIFY, ("  pos:", "  mid: {words: [so]}\n  pos:"))
    narrow = template.with_labels(["pos", "neg"])
    assert narrow.task.labels == ("pos", "neg")
    assert flat(narrow.prompt(row()).instruction) == "Say good or bad."
    assert template.task.labels == ("neg", "mid", "pos")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["neg", "poss"], "no label 'poss'; did you mean 'pos'?"),
        (["neg"], "at least two"),
        (["neg", "neg"], "at least two"),
    ],
)
def test_wrong_labels_are_refused(labels, said):
    with pytest.raises(SpecError) as caught:
        template_of().with_labels(labels)
    assert said in str(caught.value)


def test_open_labels_are_told_later():
    template = template_of(OPEN_LABELS)
    assert template.open
    named = template.with_labels(["card_fee", 0, True, 1, "1"])
    assert not named.open
    assert [flat(c.text) for c in named.candidates(row(), "text")] == [
        " card fee", " 0", " True", " 1", " 1"]  # fmt: skip


def test_labels_0_1_true_and_the_word_1_are_different():
    template = template_of(CLASSIFY, ("  neg:", "  0:"), ("  pos:", "  1:"))
    assert template.task.labels == (0, 1)
    for wrong in (False, True, "1", 1.0):
        with pytest.raises(DataError, match="is not in use"):
            template.prompt(row(), [row(wrong, "2")])
        with pytest.raises(SpecError, match="has no label"):
            template.with_labels([0, wrong])
    assert template.prompt(row(), [row(0, "2")]).shots[0].label == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("join(' or ')", "join(text)", "key 'instruction': no field or variable 'text'"),
        ("Text: {{ text }}", "Text:", "key 'query': shows none of the fields text"),
        ("{{ text }}\\n", "{{ txt }}\\n", "key 'query': no field or variable 'txt'; did you mean"),
        ("encoder:", "answer: 'x'\nencoder:", "key 'answer': must print {{ word }}"),
        ("encoder:", "shot: '{{ tex }}'\nencoder:", "key 'shot': no field or variable 'tex'"),
        ("encoder:", "system: '{{ text }}'\nencoder:", "key 'system': no field or variable"),
        ("It is bad.", "{{ lable }}", "no field or variable 'lable'; did you mean 'label'?"),
        ("[good]", "[' ']", "key 'labels.pos': a label word of 'pos' is empty"),
        ("{{ text }}\\n", "{{ text | uper }}\\n", "No filter named 'uper'"),
    ],
)
def test_forms_are_checked_when_the_template_is_read(old, new, said):
    with pytest.raises(SpecError) as caught:
        template_of(CLASSIFY, (old, new))
    assert str(caught.value).startswith("t.yaml line ")
    assert said in str(caught.value)


def test_the_hash_is_of_the_content_and_not_of_the_layout():
    same = template_of(
        "# a comment\n" + CLASSIFY.replace("description: d\n", "description:   d\n\n")
    )
    assert same.hash() == template_of().hash()
    assert template_of(CLASSIFY, ("It is good.", "It is fine.")).hash() != same.hash()


def test_a_field_that_a_row_lacks_is_told():
    with pytest.raises(DataError, match=r"row '1': field 'text' is missing"):
        template_of().prompt(row(other="x"))


def test_a_demonstration_without_a_label_is_refused():
    with pytest.raises(DataError, match="demonstration '2'"):
        template_of().prompt(row(), [row(None, "2")])


def test_choices_come_from_the_row_and_answer_by_letter_and_text():
    template = template_of(CHOOSE)
    example = row(**QUESTION)
    assert flat(template.prompt(example).query) == "What? A. red B. blue"
    assert [(c.label, flat(c.text)) for c in template.candidates(example, "text")] == [
        (0, " A"), (0, " red"), (1, " B"), (1, " blue")]  # fmt: skip
    assert [c.statements for c in template.candidates(example, "statements")] == [
        ("It is red.",), ("It is blue.",)]  # fmt: skip
    other = row(question="Who?", choices=["x", "y", "z"])
    assert template.labels_of(other) == (0, 1, 2)
    assert flat(template.prompt(other, [row("blue", "2", **QUESTION)]).shots[0].answer) == " B"


@pytest.mark.parametrize(
    ("gold", "index"),
    [(0, 0), (1, 1), ("blue", 1), (" red ", 0), ("1", 1), (None, None)],
)
def test_a_gold_choice_is_told_by_index_or_text(gold, index):
    assert template_of(CHOOSE).target(row(gold, **QUESTION)) == index


@pytest.mark.parametrize("gold", [2, -1, True, "green", "2", ""])
def test_a_gold_choice_that_is_not_there_is_an_error(gold):
    with pytest.raises(DataError, match="neither one of its 2 choices"):
        template_of(CHOOSE).target(row(gold, **QUESTION))


def test_a_choice_that_looks_like_an_index_is_taken_as_text():
    assert template_of(CHOOSE).target(row("1", question="?", choices=["1", "0"])) == 0


@pytest.mark.parametrize(
    "choices", [["one"], [], "red, blue", ["a", "a"], ["a", " a "], ["a", ""], None]
)
def test_choices_must_be_two_or_more_different_ones(choices):
    for ask in (template_of(CHOOSE).labels_of, template_of(CHOOSE).prompt):
        with pytest.raises(DataError, match="choices"):
            ask(row(question="?", choices=choices))


def test_a_row_without_its_choices_is_told():
    with pytest.raises(DataError, match=r"row '1': field 'choices'"):
        template_of(CHOOSE).labels_of(row(question="?"))


def test_more_choices_than_letters_go_on_with_numbers():
    choices = [f"c{i}" for i in range(28)]
    template = template_of(CHOOSE)
    assert "Z. c25 26. c26" in flat(template.prompt(row(question="?", choices=choices)).query)


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("card_payment_fee_charged", "card payment fee charged"),
        ("CardPaymentFee", "card payment fee"),
        ("sci-fi", "sci fi"),
        ("NASA", "NASA"),
        ("Card", "Card"),
        ("why_declined?", "why declined"),
        ("?", "?"),
        ("__", "__"),
        (0, "0"),
        (True, "True"),
    ],
)
def test_labels_in_plain_words(label, words):
    assert plain_words(label) == words


@pytest.mark.parametrize("fields", ["[words]", "[loop]", "[a b]", "[text, text]"])
def test_a_field_that_no_form_can_name_is_refused(tmp_path, fields):
    file = tmp_path / "mine.yaml"
    file.write_text(
        f"name: mine\ndescription: Mine.\ntask:\n  fields: {fields}\nquery: 'x'\n"
        "labels:\n  a: {words: [a]}\n  b: {words: [b]}\n"
    )
    with pytest.raises(SpecError, match=r"line 4, key 'task.fields'"):
        Template.read(file)


PREFILLED = ("encoder:", "chat: true\nprefill: 'It is {{ words[0] }}, or'\nencoder:")


def test_a_prefill_is_rendered_for_every_row():
    prompt = template_of(CLASSIFY, PREFILLED).prompt(row())
    assert flat(prompt.prefill) == "It is bad, or"
    assert template_of().prompt(row()).prefill == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("prefill: 'So:'", r"t.yaml.*prefill.*set 'chat: true' \(--chat\)"),
        ("chat: true\nprefill: 'So: '", "white space"),
        ("chat: true\nprefill: '{{ text }}'", "no field or variable 'text'"),
    ],
)
def test_a_prefill_belongs_to_a_chat_and_says_the_same_of_every_row(change, said):
    with pytest.raises(SpecError, match=said):
        template_of(CLASSIFY, ("encoder:", f"{change}\nencoder:"))


def test_a_prefill_changes_the_hash_and_templates_without_one_keep_theirs():
    chat = template_of(CLASSIFY, ("encoder:", "chat: true\nencoder:"))
    assert template_of(CLASSIFY, PREFILLED).hash() != chat.hash()
    late = {
        "prefill": True,
        "generation": True,
        "presence": True,
        "promptsource": True,
        "lm_eval": True,
    }
    late |= {"task": {"metrics", "tolerance", "words"}}
    content = template_of().keys.model_dump_json(exclude=late)
    assert template_of().hash() == hashlib.sha256(content.encode()).hexdigest()[:16]
