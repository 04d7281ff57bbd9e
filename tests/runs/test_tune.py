"""Fitting on all labelled rows, and saving."""

import json

import pytest

from promptkit.errors import Interrupted, PromptkitError, StoreError
from promptkit.runs import EvalSpec
from promptkit.runs.saved import load_model
from promptkit.runs.tune import tune
from tests.learner import COMPUTED, STOP_AFTER, registered  # noqa: F401

pytestmark = pytest.mark.usefixtures("registered")


@pytest.fixture
def rows(home):
    texts = [("good food", "pos"), ("bad food", "neg"), ("good staff", "pos"), ("bad", "neg")]
    lines = ["body,team", *(f"{text},{label}" for text, label in texts)]
    (home / "rows.csv").write_text("\n".join(lines) + "\n")
    return "rows.csv"


def asked(**options):
    said = {"strategy": "learner", "data": "rows.csv", "label_field": "team"}
    return EvalSpec(**(said | options))


def test_it_learns_from_all_rows_of_a_file(rows):
    steps = []
    made = tune(asked(), "model", on_step=steps.append)
    assert (made.n, made.labels, made.cost.trained_parameters) == (4, ("neg", "pos"), 8)
    assert [step.done for step in steps] == [1, 2, 3, 4]
    model = load_model("model")
    assert model.predict([{"body": "a good day"}, "so bad"])[0].label == "pos"
    assert model.meta["trained_on"]["n"] == 4
    assert model.columns == {"text": "body"}
    assert made.stored_bytes == sum(f.stat().st_size for f in made.folder.rglob("*") if f.is_file())


def test_it_learns_from_the_train_split_of_a_folder_alone(home):
    made = tune(EvalSpec(strategy="majority", data="customer_reviews"), "model")
    assert made.n == 120
    assert made.labels == ("negative", "neutral", "positive")
    assert made.recipe.template.name == "sentiment_zero_shot"


def test_a_stopped_fit_goes_on_from_its_checkpoint(rows, home):
    STOP_AFTER.append(2)
    with pytest.raises(Interrupted, match=r"interrupted: 2 of 4 steps were done"):
        tune(asked(), "model")
    assert not (home / "model").exists()
    STOP_AFTER.clear()
    tune(asked(), "model")
    assert COMPUTED == [0, 1, 2, 3]
    tune(asked(), "whole")
    found = [(home / name / "learned" / "counts.json").read_text() for name in ("model", "whole")]
    assert found[0] == found[1]
    assert sorted(one.name for one in home.iterdir()) == ["model", "rows.csv", "whole"]


def test_a_fit_that_kept_nothing_leaves_nothing(rows, home):
    STOP_AFTER.append(0)
    with pytest.raises(Interrupted):
        tune(asked(), "model")
    assert [one.name for one in home.iterdir()] == ["rows.csv"]


def test_checkpoints_of_another_fit_are_not_taken_up(rows):
    STOP_AFTER.append(2)
    with pytest.raises(Interrupted):
        tune(asked(), "model")
    STOP_AFTER.clear()
    COMPUTED.clear()
    tune(asked(strategy_options={"weight": 2.0}), "model")
    assert COMPUTED == [0, 1, 2, 3]


def test_what_is_there_is_looked_at_before_the_work(rows, home):
    tune(asked(), "model")
    COMPUTED.clear()
    with pytest.raises(StoreError, match="--force"):
        tune(asked(), "model")
    assert COMPUTED == []
    tune(asked(seed=1), "model", force=True)
    assert json.loads((home / "model" / "promptkit.json").read_text())["seed"] == 1


def test_prompting_can_be_saved_like_any_other(rows):
    spec = asked(
        strategy="in_context", template="topic_zero_shot", text_field="body", backend="fake",
        shots=2, strategy_options={"selector": "random"},
    )  # fmt: skip
    tune(spec, "model")
    model = load_model("model")
    assert (model.strategy.shots, model.strategy.backend.name) == (2, "fake")
    assert model.predict([{"body": "good"}])[0].label in ("neg", "pos")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"strategy": "lerner"}, "did you mean 'learner'"),
        ({"strategy_options": {"wait": 1}}, "did you mean 'weight'"),
        ({"label_field": "label"}, "which column holds the text"),
        ({"text_field": "bdy"}, "did you mean 'body'"),
        ({"data": "nowhere.csv"}, "no such file"),
    ],
)
def test_what_is_wrong_is_said(rows, options, said):
    with pytest.raises(PromptkitError, match=said):
        tune(asked(**options), "model")
