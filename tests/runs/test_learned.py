"""Strategies that learn go through the same road as prompting."""

import json

import pytest

from promptkit.errors import DataError, PromptkitError
from promptkit.runs import EvalSpec, Store, build, run
from promptkit.runs.record import from_json, to_json
from tests.learner import COMPUTED, STOP_AFTER, registered  # noqa: F401

pytestmark = pytest.mark.usefixtures("registered")
TRAIN = [("good food", "positive"), ("bad food", "negative"), ("good staff", "positive")] * 2
TEST = [("a good day", "positive"), ("a bad day", "negative"), ("so good", "positive")]


@pytest.fixture
def data(home):
    folder = home / "mine"
    folder.mkdir()
    for name, rows in (("train", TRAIN), ("test", TEST)):
        lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "card.json").write_text(json.dumps({"labels": ["negative", "positive"]}))
    return "mine"


def asked(**options):
    return EvalSpec(**{"data": "mine", "strategy": "learner", **options})


def test_it_learns_from_the_train_rows_and_answers_the_test_rows(data):
    trial = build(asked())
    record = run(trial)
    assert [p.label for p in record.predictions] == ["positive", "negative", "positive"]
    assert trial.spec.strategy["name"] == "learner"
    assert trial.spec.data["train"]["n"] == 6
    assert record.fit_cost.trained_parameters == 8
    assert record.cost.trained_parameters == 0
    assert from_json(json.loads(json.dumps(to_json(record)))).fit_cost == record.fit_cost


def test_what_it_was_built_with_is_in_the_fingerprint(data):
    specs = [
        asked(),
        asked(strategy_options={"weight": 2.0}),
        asked(seed=1),
        asked(strategy_options={"reading": "prompt"}),
        asked(strategy="majority"),
    ]
    assert len({build(one).spec.fingerprint() for one in specs}) == len(specs)
    same = [build(asked(strategy="majority", seed=seed)).spec.fingerprint() for seed in (0, 1)]
    assert same[0] == same[1]


def test_a_template_that_nothing_reads_does_not_change_the_fingerprint(data):
    with_one = build(asked(template="sentiment_binary_zero_shot")).spec
    assert with_one.fingerprint() == build(asked()).spec.fingerprint()


def test_an_interrupted_fit_goes_on_from_its_checkpoint(data, home):
    trial, store = build(asked()), Store(home / "store")
    whole = run(trial)
    COMPUTED.clear()
    STOP_AFTER.append(4)
    with pytest.raises(PromptkitError, match="interrupted"):
        run(trial, store)
    STOP_AFTER.clear()
    steps = []
    resumed = run(trial, store, on_step=lambda step: steps.append(step.done))
    assert COMPUTED == list(range(6))
    assert steps == [5, 6]
    assert resumed.predictions == whole.predictions
    assert not (store.run(trial.spec).folder / "fit").exists()
    assert run(trial, store).from_store


def test_a_file_without_a_template_gives_its_only_column(home):
    for name, rows in (("a", TRAIN), ("b", TEST)):
        lines = ["body,stars", *(f"{text},{label}" for text, label in rows)]
        (home / f"{name}.csv").write_text("\n".join(lines) + "\n")
    trial = build(asked(data="b.csv", train_data="a.csv", label_field="stars"))
    assert trial.template.name == "sentiment_binary_zero_shot"
    assert [p.label for p in run(trial).predictions][:2] == ["positive", "negative"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"split": "train"}, "learns from labelled rows, and mine has no others"),
        ({"strategy": "lerner"}, "did you mean 'learner'"),
        ({"strategy_options": {"wait": 1}}, "did you mean 'weight'"),
        ({"data": None}, "no rows given"),
        ({"shots": 4}, "--shots is for prompting"),
        ({"backend": "fake"}, "--backend is for prompting"),
        ({"data": "two.csv", "train_data": "two.csv"}, "which column holds the text"),
        ({"data": "one.csv", "train_data": "one.csv"}, "each of its 2 rows is evaluated too"),
        ({"template": "multiple_choice", "data": None}, "brings its own choices"),
    ],
)
def test_what_is_wrong_is_said(data, home, options, said):
    (home / "two.csv").write_text("title,body,label\nx,good,a\ny,bad,b\n")
    (home / "one.csv").write_text("body,label\ngood,a\nbad,b\n")
    with pytest.raises(PromptkitError, match=said):
        build(asked(**options))


def test_copies_of_evaluated_rows_are_not_learned_from(data, home):
    with (home / "mine" / "train.jsonl").open("a") as file:
        file.write(json.dumps({"text": "A  good DAY", "label": "negative"}) + "\n")
    trial = build(asked())
    assert len(trial.train) == 6
    assert "not learned from, as copies of evaluated rows: 1 training" in trial.notes[0]


def test_a_dry_run_says_whose_scores_it_shows(data):
    trial = build(asked(dry_run=True))
    assert "nothing was learned by 'learner'" in trial.notes[-1]
    assert run(trial).report.n == 3
    with pytest.raises(DataError):
        build(asked(dry_run=True, split="train"))
