"""Templates for the same task are found, and those that a model cannot tell apart."""

import pytest

from promptkit.errors import SpecError
from promptkit.prompts import find_template
from promptkit.runs.templates_alike import difference, distinct, templates_alike
from promptkit.types import Example

TEMPLATE = """
name: {name}
description: One more.
task: {{kind: classify, fields: [{fields}]}}
query: "{query}"
labels:
  negative: {{words: [{word}], statements: ["It is bad."]}}
  positive: {{words: [good], statements: ["It is good."]}}
"""


@pytest.fixture
def written(tmp_path):
    def write(name="mine", fields="text", query="{{ text }} It is", word="bad"):
        path = tmp_path / f"{name}.yaml"
        path.write_text(TEMPLATE.format(name=name, fields=fields, query=query, word=word))
        return str(path)

    return write


def names(templates):
    return [one.name for one in templates]


def test_all_in_the_box_with_the_same_fields_and_labels_and_no_others():
    found = templates_alike(find_template("sentiment_few_shot"))
    assert names(found) == [
        "sentiment_few_shot",
        "sentiment_cloze",
        "sentiment_zero_shot",
        "tweet_sentiment_zero_shot",
    ]


def test_chat_templates_stand_by_themselves_unless_the_user_says_what_is_a_chat():
    assert names(templates_alike(find_template("sentiment_chat"))) == ["sentiment_chat"]
    told = templates_alike(find_template("sentiment_chat"), chat_told=True)
    assert "sentiment_zero_shot" in names(told)


def test_open_labels_are_the_same_task_only_on_the_same_data():
    assert names(templates_alike(find_template("intent_zero_shot"))) == ["intent_zero_shot"]
    found = templates_alike(find_template("multiple_choice"))
    assert names(found) == ["multiple_choice", "multiple_choice_letters"]


def test_named_ones_come_in_their_order_each_once(written):
    path = written()
    first = find_template("sentiment_binary_zero_shot")
    asked = [path, "sentiment_binary_zero_shot", "all", path]
    found = names(templates_alike(first, asked))
    assert found == ["sentiment_binary_zero_shot", "mine", "movie_sentiment_zero_shot"]


def test_the_first_keeps_its_settled_labels():
    first = find_template("sentiment_binary_zero_shot").with_labels(["positive", "negative"])
    assert templates_alike(first, ["sentiment_binary_zero_shot"])[0] is first


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("multiple_choice", "its task is 'choose', not 'classify'"),
        ("entailment_zero_shot", "its fields are premise, hypothesis, not text"),
        ("subjectivity_zero_shot", "its labels are objective, subjective, not negative, positive"),
        ("topic_zero_shot", "its labels are open"),
    ],
)
def test_one_that_does_not_fit_is_refused_with_what_sets_it_apart(name, why):
    with pytest.raises(SpecError, match=why) as told:
        templates_alike(find_template("sentiment_binary_zero_shot"), [name])
    assert repr(name) in str(told.value)


def test_narrowed_labels_need_only_be_known():
    three = find_template("sentiment_zero_shot")
    two = find_template("sentiment_binary_zero_shot")
    assert difference(three, two)
    assert difference(three.with_labels(["negative", "positive"]), two) == ""


def test_numbers_and_texts_are_other_labels(tmp_path):
    texts = []
    for name, label in (("number", "0"), ("text", '"0"')):
        path = tmp_path / f"{name}.yaml"
        path.write_text(
            f"name: {name}\ndescription: x\ntask: {{kind: classify, fields: [text]}}\n"
            f"query: '{{{{ text }}}}'\nlabels:\n  {label}: {{words: [a]}}\n  1: {{words: [b]}}\n"
        )
        texts.append(find_template(str(path)))
    assert difference(*texts)


def test_a_backend_that_reads_statements_sees_no_other_query(written):
    row = Example("r", {"text": "fine"}, "positive")
    two = [
        find_template(written(name="one")),
        find_template(written(name="two", query="{{ text }} So")),
        find_template(written(name="three", word="awful")),
    ]
    kept, same = distinct(two, row, "statements")
    assert names(kept) == ["one"]
    assert same == [("two", "one"), ("three", "one")]
    kept, same = distinct(two, row, "text")
    assert names(kept) == ["one", "two", "three"]
    assert same == []


def test_a_form_of_demonstrations_matters_only_where_some_are_shown(tmp_path, written):
    first = find_template(written(name="one"))
    path = tmp_path / "two.yaml"
    text = TEMPLATE.format(name="two", fields="text", query="{{ text }} It is", word="bad")
    path.write_text(text + 'shot: "{{ text }} was"\n')
    both = [first, find_template(str(path))]
    row = Example("r", {"text": "fine"}, "positive")
    assert len(distinct(both, row, "text")[0]) == 1
    assert len(distinct(both, row, "text", shown=True)[0]) == 2
