"""Thresholds and sets chosen on training rows, and tried on the evaluated ones."""

import json
from dataclasses import replace

import numpy as np
import pytest

from promptkit.errors import CapabilityError, DataError, PromptkitError, SpecError
from promptkit.runs import EvalSpec, build, run
from promptkit.runs.acting import act_on, ready
from promptkit.runs.wishes import wishes_of
from tests.learner import registered  # noqa: F401

pytestmark = pytest.mark.usefixtures("registered")
SAID = {"positive": "good", "negative": "bad"}


def rows_of(rng, n, name):
    """Rows of one telling word, of two that disagree, or of none: sure, torn and lost."""
    rows = []
    for i in range(n):
        label = ("positive", "negative")[int(rng.integers(2))]
        other = "negative" if label == "positive" else "positive"
        text = [SAID[label], SAID[label], SAID[other]][int(rng.integers(3))]
        rows.append({"text": f"{text} {name}{i}", "label": label})
    return rows


def write(home, train, test):
    (home / "mine").mkdir(exist_ok=True)
    for name, rows in (("train", train), ("test", test)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (home / "mine" / f"{name}.jsonl").write_text(text)
    (home / "mine" / "card.json").write_text(json.dumps({"labels": ["negative", "positive"]}))


@pytest.fixture
def data(home):
    rng = np.random.default_rng(0)
    write(home, rows_of(rng, 200, "a"), rows_of(rng, 100, "b"))


def asked(**options):
    return EvalSpec(**{"data": "mine", "strategy": "learner", **options})


def acted(spec):
    trial = build(spec)
    record = run(trial)
    return act_on(spec, trial, record, run), record


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("0.9", (0.9, "accuracy")),
        (0.9, (0.9, "accuracy")),
        ("0.9 accuracy", (0.9, "accuracy")),
        ("0.85  empirical accuracy", (0.85, "empirical accuracy")),
        (" 0.8 coverage", (0.8, "coverage")),
    ],
)
def test_what_abstain_says_is_read(said, wanted):
    assert wishes_of(asked(abstain=said)).abstain == wanted


@pytest.mark.parametrize("said", ["90", "0.9 acuracy", "accuracy", "", "1", "0 coverage", "nan"])
def test_what_cannot_be_read_is_said_with_the_forms_that_can(said):
    with pytest.raises(SpecError, match=r"--abstain .*: '0.9', '0.9 accuracy', '0.9 empirical"):
        wishes_of(asked(abstain=said))
    with pytest.raises(SpecError, match="--conformal"):
        wishes_of(asked(conformal=said))


def test_nothing_wished_is_nothing():
    assert not wishes_of(asked())
    assert wishes_of(asked(out_of_scope=0))
    with pytest.raises(SpecError, match="--out-of-scope is for one draw"):
        wishes_of(asked(out_of_scope=0, seeds=2))


def test_a_threshold_of_coverage_answers_that_share_of_the_training_rows(data):
    found, record = acted(asked(abstain="0.5 coverage"))
    assert found.abstain.threshold.coverage >= 0.5
    sure = np.exp([max(one.log_p) for one in record.predictions])
    answered = sure > found.abstain.threshold.above
    assert found.columns["abstained"] == tuple((~answered).tolist())
    assert found.abstain.answered.value == answered.mean()
    right = [p.label == gold for p, gold in zip(record.predictions, record.golds, strict=True)]
    assert found.abstain.accuracy.value == pytest.approx(np.array(right)[answered].mean())
    assert found.abstain.plain is None


def test_an_accuracy_out_of_reach_answers_nothing_and_says_why(data):
    found, _ = acted(asked(abstain="0.99 accuracy"))
    assert found.columns["abstained"] == (True,) * 100
    assert found.abstain.answered.value == 0
    assert "the 200 rows do not show it" in found.abstain.threshold.problem
    assert found.abstain.plain.goal == "empirical accuracy"


def test_thresholds_are_chosen_on_rows_that_were_not_learned_from(home):
    rng = np.random.default_rng(1)
    noise = [{"text": f"w{i} z", "label": ("positive", "negative")[int(rng.integers(2))]}
             for i in range(200)]  # fmt: skip
    write(home, noise, rows_of(rng, 50, "b"))
    found, _ = acted(asked(abstain="0.7 accuracy"))
    # rows that it knows by heart would all be right, and nearly all of them answered
    assert found.abstain.threshold.problem


def test_sets_are_made_of_the_labels_that_are_probable_enough(data):
    found, record = acted(asked(conformal="0.5"))
    # two of three rows say the right word: sets of one label do for a half, and not for 0.9
    assert found.sets.report.coverage.low <= 2 / 3 <= found.sets.report.coverage.high
    assert acted(asked(conformal="0.9"))[0].sets.report.coverage.value == 1.0
    for labels, prediction in zip(found.columns["label_set"], record.predictions, strict=True):
        inside = [np.exp(p) >= 1 - found.sets.rule.most for p in prediction.log_p]
        assert labels == tuple(
            label for label, held in zip(record.labels, inside, strict=True) if held
        )
    adaptive, _ = acted(asked(conformal="0.9 adaptive"))
    assert adaptive.sets.rule.method == "adaptive"


def test_too_few_training_rows_for_a_level_are_refused(home):
    rng = np.random.default_rng(0)
    write(home, rows_of(rng, 10, "a"), rows_of(rng, 10, "b"))
    with pytest.raises(DataError, match=r"at level 0\.99 need 99"):
        acted(asked(conformal="0.99"))


def test_rows_out_of_scope_are_told_by_a_threshold_that_keeps_95_of_100(home):
    rng = np.random.default_rng(0)
    stones = [{"text": f"stone {i}", "label": "none"} for i in range(30)]
    write(home, rows_of(rng, 200, "a"), [*rows_of(rng, 100, "b"), *stones])
    found, record = acted(asked(out_of_scope="none", abstain="0.5 coverage", conformal="0.9"))
    assert "95%" in found.scope.rule
    scores = {score.metric: score for score in found.scores}
    assert scores["out_of_scope_auroc"].value == 1.0
    assert scores["in_scope_kept"].n == 100
    # a stone says nothing: one half for each label, and less sure than any other row
    assert found.columns["out_of_scope"][100:] == (True,) * 30
    assert scores["out_of_scope_caught"].value == 1.0
    # the other parts are about rows of some label alone
    assert scores["answered"].n == scores["set_coverage"].n == record.report.n == 100
    assert record.report.n_unlabelled == 30


def test_training_rows_out_of_scope_choose_the_threshold_where_there_are_some(home):
    rng = np.random.default_rng(0)
    stones = [{"text": f"stone {i}", "label": "none"} for i in range(60)]
    write(home, [*rows_of(rng, 200, "a"), *stones[30:]], [*rows_of(rng, 100, "b"), *stones[:30]])
    found, _ = acted(asked(out_of_scope="none"))
    assert "30 rows of none of the labels" in found.scope.rule
    assert found.n == 200


def test_no_row_out_of_scope_among_the_evaluated_is_said(data):
    with pytest.raises(DataError, match="none of the 100 rows is out of scope"):
        acted(asked(out_of_scope="none"))


def test_a_row_without_a_prediction_is_not_answered_and_has_no_set(data):
    spec = asked(abstain="0.5 coverage", conformal="0.9")
    trial = build(spec)
    record = run(trial)
    gone = replace(record.predictions[0], label=None, log_p=None, problem="too long")
    record = replace(record, predictions=(gone, *record.predictions[1:]))
    found = act_on(spec, trial, record, run)
    assert found.columns["abstained"][0] is True
    assert found.columns["label_set"][0] is None
    assert found.sets.n_without == 1
    assert found.sets.report.coverage.n == 99
    assert found.abstain.answered.n == 100


def test_bare_decisions_are_refused(data):
    spec = asked(abstain="0.9")
    trial = build(spec)
    record = run(trial)
    decided = tuple(replace(one, log_p=None) for one in record.predictions)
    with pytest.raises(CapabilityError, match="without any"):
        act_on(spec, trial, replace(record, predictions=decided), run)


def test_what_cannot_be_is_said_before_a_model_is_loaded():
    for options, said in (
        ({"template": "word_problems", "abstain": "0.9"}, "a model that writes gives none"),
        ({"template": "multiple_choice", "conformal": "0.9"}, "brings its own choices"),
    ):
        spec = EvalSpec(backend="fake", **options)
        with pytest.raises(PromptkitError, match=said):
            ready(spec, build(spec))


def test_rows_with_choices_of_their_own_can_abstain(home):
    lines = [json.dumps({"question": f"q{i}", "choices": ["a", f"b{i}"], "label": i % 2})
             for i in range(40)]  # fmt: skip
    (home / "a.jsonl").write_text("\n".join(lines[:20]) + "\n")
    (home / "b.jsonl").write_text("\n".join(lines[20:]) + "\n")
    spec = EvalSpec(template="multiple_choice", backend="fake", data="a.jsonl",
                    train_data="b.jsonl", abstain="0.5 coverage")  # fmt: skip
    found, _ = acted(spec)
    assert found.abstain.answered.n == 20


def test_all_figures_are_json_values(data):
    found, _ = acted(asked(abstain="0.6", conformal="0.9"))
    told = json.loads(json.dumps(found.to_json()))
    assert told["chosen_on"]["n"] == 200
    assert {score["metric"] for score in told["scores"]} >= {"answered", "set_coverage"}
    assert told["abstain"]["threshold"]["wanted"] == 0.6
