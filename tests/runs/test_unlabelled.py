"""Files of rows without labels: who reads them, and what is left out."""

import json

import pytest

from promptkit.errors import PromptkitError
from promptkit.runs import EvalSpec, build
from promptkit.runs.runner import run
from promptkit.runs.saved import load_model
from promptkit.runs.tune import tune

TRAIN = [("good food", "pos"), ("bad food", "neg"), ("good staff", "pos"), ("bad staff", "neg")]
TEST = [("good day", "pos"), ("bad day", "neg")]
OTHERS = ["Good  DAY", "good bread", "bad bread", "bad tea", "good food"]


@pytest.fixture
def files(home):
    for name, given in (("train", TRAIN), ("test", TEST)):
        lines = ["body,team", *(f"{text},{label}" for text, label in given)]
        (home / f"{name}.csv").write_text("\n".join(lines) + "\n")
    (home / "others.csv").write_text("body\n" + "\n".join(OTHERS) + "\n")
    return home


def asked(**options):
    own = {"of": "tfidf", "unlabelled": "others.csv", "threshold": 0.5, "rounds": 1}
    said = {
        "strategy": "self_training", "data": "test.csv", "train_data": "train.csv",
        "text_field": "body", "label_field": "team", "strategy_options": own,
    }  # fmt: skip
    return EvalSpec(**(said | options))


def test_copies_of_evaluated_rows_are_never_learned_from(files):
    trial = build(asked())
    strategy = trial.strategy(True)
    assert sorted(row.fields["text"] for row in strategy.unlabelled) == [
        "bad bread", "bad tea", "good bread", "good food",
    ]  # fmt: skip
    told = "unlabelled: 4 rows of others.csv, their labels unread, without 1 that are copies"
    assert any(note.startswith(told) for note in trial.notes)
    record = run(trial)
    assert record.predictions[0].kind == "tf-idf, 3 pseudo-labelled rows"


def test_labels_in_the_file_are_not_read(files):
    lines = ["body,team", *(f"{text},nonsense" for text in OTHERS)]
    (files / "others.csv").write_text("\n".join(lines) + "\n")
    assert {row.label for row in build(asked()).strategy(True).unlabelled} == {None}


def test_a_run_is_named_by_what_the_rows_say_and_not_by_their_file(files):
    one = build(asked()).spec.fingerprint()
    (files / "same.csv").write_text((files / "others.csv").read_text())
    options = {**asked().strategy_options, "unlabelled": "same.csv"}
    assert build(asked(strategy_options=options)).spec.fingerprint() == one
    (files / "same.csv").write_text("body\ngood bread\n")
    assert build(asked(strategy_options=options)).spec.fingerprint() != one


def test_a_saved_one_says_what_it_did_and_needs_no_file(files):
    spec = asked(data="train.csv", train_data=None)
    made = tune(spec, "model")
    assert made.facts["pseudo-labelled rows"] == "4"
    (files / "others.csv").unlink()
    model = load_model("model")
    assert model.predict([{"body": "good"}])[0].label == "pos"
    assert json.loads((files / "model/promptkit.json").read_text())["strategy"]["name"]
    assert "pseudo-labelled rows" in (files / "model/README.md").read_text()
    record = run(build(EvalSpec(model="model", data="test.csv", label_field="team")))
    assert record.predictions[0].kind == "tf-idf, 4 pseudo-labelled rows"


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"unlabelled": "nowhere.csv"}, "no such file"),
        ({"unlabelled": 3}, "'unlabelled' is 3; name a file"),
        ({"unlabelled": "test.csv"}, "is left no row that is not evaluated"),
        ({"of": "tfdf", "unlabelled": "others.csv"}, "did you mean 'tfidf'"),
    ],
)
def test_what_is_wrong_is_said(files, own, said):
    with pytest.raises(PromptkitError, match=said):
        build(asked(strategy_options=own))
