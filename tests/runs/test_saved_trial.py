"""A saved model is evaluated with its own strategy, template and labels."""

import json

import pytest

from promptkit.errors import PromptkitError
from promptkit.runs import EvalSpec, Store, build, run
from promptkit.runs.tune import tune
from tests.learner import registered  # noqa: F401

pytestmark = pytest.mark.usefixtures("registered")
TRAIN = [("good food", "pos"), ("bad food", "neg"), ("good staff", "pos"), ("bad", "neg")]
TEST = [("so good", "pos"), ("so bad", "neg"), ("good bad bad", "pos")]


@pytest.fixture
def model(home):
    for name, rows in (("train", TRAIN), ("test", TEST)):
        lines = ["body,label", *(f"{text},{label}" for text, label in rows)]
        (home / f"{name}.csv").write_text("\n".join(lines) + "\n")
    tune(EvalSpec(strategy="learner", data="train.csv", label_map={}), "model")
    return "model"


def asked(**options):
    return EvalSpec(**{"model": "model", "data": "test.csv", **options})


def test_it_answers_as_the_strategy_does_that_was_fitted_on_the_same_rows(model, home):
    record = run(build(asked()), Store(home / "store"))
    spec = EvalSpec(strategy="learner", data="test.csv", train_data="train.csv")
    assert record.predictions == run(build(spec)).predictions
    assert record.spec.data["train"]["n"] == 4
    assert record.spec.backend["model"] == "model"
    assert record.fit_cost.seconds == 0
    again = run(build(asked()), Store(home / "store"))
    assert again.from_store
    assert again.predictions == record.predictions


def test_a_model_that_was_tuned_anew_is_another_run(model):
    before = build(asked()).spec.fingerprint()
    tune(EvalSpec(strategy="learner", data="train.csv", seed=1), "model", force=True)
    assert build(asked()).spec.fingerprint() != before


def test_columns_are_those_told_or_of_the_training_rows_or_of_the_fields(model, home):
    for name in ("text", "review"):
        lines = [json.dumps({name: text, "label": label}) for text, label in TEST]
        (home / f"{name}.jsonl").write_text("\n".join(lines))
    records = [
        run(build(asked(data="text.jsonl"))),
        run(build(asked(data="review.jsonl", text_field="review"))),
        run(build(asked(data="review.jsonl", fields={"text": "review"}))),
        run(build(asked())),
    ]
    found = [[prediction.log_p for prediction in record.predictions] for record in records]
    assert all(one == found[0] for one in found)


def test_labels_of_the_rows_are_mapped_to_those_of_the_model(model, home):
    lines = ["body,label", *(f"{text},{len(label)}{label[0]}" for text, label in TEST)]
    (home / "coded.csv").write_text("\n".join(lines) + "\n")
    spec = asked(data="coded.csv", label_map={"3p": "pos", "3n": "neg"})
    assert build(spec).golds == ("pos", "neg", "pos")
    narrowed = build(spec.model_copy(update={"labels": ["neg"]}))
    assert narrowed.golds == ("neg",)
    assert narrowed.template.task.labels == ("neg", "pos")
    assert "2 rows with other labels" in narrowed.notes[0]


def test_the_rows_that_it_learned_from_are_known_again(model):
    assert "say nothing about others" in build(asked(data="train.csv")).notes[0]


def test_a_template_names_rows_and_nothing_else(model):
    lines = build(
        asked(data=None, template="sentiment_zero_shot", label_map={
            "positive": "pos", "negative": "neg", "neutral": "neg"})
    )  # fmt: skip
    assert len(lines.data) == 240
    assert "the saved model brings its own" in lines.notes[0]


def test_saved_prompting_goes_the_same_way(model, home):
    tune(EvalSpec(strategy="in_context", template="topic_zero_shot", text_field="body",
                  data="train.csv", backend="fake", shots=1), "prompts")  # fmt: skip
    trial = build(asked(model="prompts"))
    store = Store(home / "store")
    record = run(trial, store)
    assert record.spec.strategy["shots"] == 1
    assert record.spec.template["name"] == "topic_zero_shot"
    assert record.predictions == run(build(asked(model="prompts")), store).predictions


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"data": None}, "no rows given to evaluate the saved model"),
        ({"strategy": "learner"}, "leave out --strategy"),
        ({"shots": 3}, "--shots cannot be chosen"),
        ({"dry_run": True}, "--dry-run cannot be chosen"),
        ({"text_field": "bdy"}, "did you mean 'body'"),
        ({"fields": {"txt": "body"}}, "did you mean 'text'"),
        ({"label_map": {"pos": "positive"}}, "has no label 'positive'; known: neg, pos"),
    ],
)
def test_what_is_wrong_is_said(model, options, said):
    with pytest.raises(PromptkitError, match=said):
        build(asked(**options))
