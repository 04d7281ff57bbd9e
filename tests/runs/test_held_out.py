"""Training rows are answered by what did not learn from them, as a run of its own."""

import json

import pytest

from promptkit.errors import PromptkitError
from promptkit.runs import EvalSpec, Store, build, run
from promptkit.runs.held_out import held_out_trial
from tests.learner import STOP_AFTER, registered  # noqa: F401

pytestmark = pytest.mark.usefixtures("registered")
WORDS = {"positive": ("good", "great", "fine"), "negative": ("bad", "awful", "poor")}
TRAIN = [(f"{word} thing{i}", label) for i in range(6) for label, words in WORDS.items()
         for word in words]  # fmt: skip
TEST = [("a good day", "positive"), ("a bad day", "negative")]


def write(home, train=TRAIN, test=TEST):
    (home / "mine").mkdir(exist_ok=True)
    for name, rows in (("train", train), ("test", test)):
        lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
        (home / "mine" / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    (home / "mine" / "card.json").write_text(json.dumps({"labels": ["negative", "positive"]}))


@pytest.fixture
def data(home):
    write(home)


def asked(**options):
    return EvalSpec(**{"data": "mine", "strategy": "learner", **options})


def held_out(spec):
    return held_out_trial(spec, build(spec))


def test_a_learned_strategy_answers_its_training_rows_by_cross_fitting(data):
    trial = held_out(asked())
    record = run(trial)
    assert len(record.predictions) == len(TRAIN)
    assert trial.spec.strategy["name"] == "cross_fitted"
    assert trial.spec.strategy["strategy"]["name"] == "learner"
    # fitted on all rows it would know each "thing" by its rows; each text is its own here
    assert record.report.find("accuracy").value == 1.0


def test_it_is_no_better_than_a_guess_where_labels_are_noise(home):
    noise = [(f"word{i}", ("positive", "negative")[i % 2]) for i in range(40)]
    write(home, noise)
    record = run(held_out(asked()))
    assert record.report.find("accuracy").value == 0.5
    fitted = build(asked())
    strategy = fitted.strategy(True).fit(fitted.train.examples)
    right = [p.label == row.label for p, row in
             zip(strategy.predict(fitted.train.examples), fitted.train, strict=True)]  # fmt: skip
    assert all(right)


def test_it_is_stored_and_goes_on_where_it_stopped(data, home):
    trial, store = held_out(asked()), Store(home / "store")
    STOP_AFTER.append(20)
    with pytest.raises(PromptkitError, match="interrupted"):
        run(trial, store)
    STOP_AFTER.clear()
    record = run(trial, store)
    assert record.predictions == run(trial).predictions
    assert run(trial, store).from_store


def test_a_frozen_model_is_asked_about_the_training_rows_as_about_the_others(home):
    write(home)
    spec = EvalSpec(template="sentiment_binary_zero_shot", data="mine", backend="fake", shots=2)
    trial = held_out(spec)
    assert trial.spec.strategy == build(spec).spec.strategy
    record = run(trial)
    assert record.report.n == len(TRAIN)


def test_the_evaluated_run_keeps_its_fingerprint(data):
    plain = build(asked()).spec.fingerprint()
    wanted = asked(abstain="0.9 accuracy", conformal="0.9")
    assert build(wanted).spec.fingerprint() == plain
    assert held_out(wanted).spec.fingerprint() != plain


def test_evaluated_rows_are_left_out(home):
    write(home, [*TRAIN, ("A good  DAY", "negative")])
    spec = EvalSpec(template="sentiment_binary_zero_shot", data="mine", backend="fake")
    trial = held_out(spec)
    assert len(trial.data) == len(TRAIN)
    assert any("1 training row" in note for note in trial.notes)


def test_a_frozen_model_is_asked_about_so_many_rows_at_most(home, monkeypatch):
    monkeypatch.setattr("promptkit.runs.held_out.MOST_ASKED", 10)
    write(home)
    spec = EvalSpec(template="sentiment_binary_zero_shot", data="mine", backend="fake")
    trial = held_out(spec)
    assert len(trial.data) == 10
    assert "10 of 36 training rows are answered" in trial.notes[-1]
    assert len(held_out(asked()).data) == 36


def test_rows_of_none_of_the_labels_are_evaluated_and_not_learned_from(home):
    write(home, [*TRAIN, ("the moon", "none")], [*TEST, ("a stone", "none")])
    spec = asked(out_of_scope="none")
    trial = build(spec)
    assert trial.template.task.labels == ("negative", "positive")
    assert trial.golds == ("positive", "negative", None)
    assert [row.fields["text"] for row in trial.outside] == ["the moon"]
    assert len(trial.train) == len(TRAIN)
    assert run(trial).report.n == 2
    assert [row.label for row in held_out(spec).data][-1] == "none"
    assert any("1 of the 3 rows are of none of the labels (none)" in x for x in trial.notes)


def test_labels_left_out_can_be_mapped_to_it(home):
    write(home, [*TRAIN, ("the moon", "sky")], [*TEST, ("a stone", "earth")])
    (home / "mine" / "card.json").write_text(
        json.dumps({"labels": ["negative", "positive", "sky", "earth"]})
    )
    spec = asked(out_of_scope="none", label_map={"sky": "none", "earth": "none"})
    for template in (None, "sentiment_binary_zero_shot"):
        trial = build(spec.model_copy(update={"template": template}))
        assert trial.template.task.labels == ("negative", "positive")
        assert trial.golds[-1] is None
        assert len(trial.outside) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"data": "mine/test.jsonl", "strategy": "in_context",
          "template": "sentiment_binary_zero_shot", "backend": "fake"}, "--train-data"),
        ({"data": "mine/test.jsonl", "strategy": "in_context", "train_data": "mine/test.jsonl",
          "template": "sentiment_binary_zero_shot", "backend": "fake"}, "is evaluated too"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(data, options, said):
    with pytest.raises(PromptkitError, match=said):
        held_out(asked(**options))


def test_a_label_in_use_cannot_stand_for_none(data):
    with pytest.raises(PromptkitError, match="no label 'positive'"):
        build(asked(labels=["negative", "positive"], out_of_scope="positive"))
    with pytest.raises(PromptkitError, match="no --out-of-scope"):
        build(EvalSpec(template="multiple_choice", backend="fake", out_of_scope="none"))


@pytest.mark.parametrize("options", [{}, {"prior": "labels"}])
def test_a_calibration_that_reads_labels_is_fitted_without_the_row_it_mends(options):
    name = "prior_matching" if options else "temperature"
    spec = EvalSpec(
        template="sentiment_zero_shot", backend="fake", calibration=name,
        calibration_options=options, limit=20,
    )  # fmt: skip
    held = held_out_trial(spec, build(spec))
    assert held.spec.strategy["name"] == "cross_fitted"
    assert run(held).predictions[0].log_p is not None
