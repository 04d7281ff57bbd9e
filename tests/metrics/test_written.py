"""Written answers scored: values by hand, and a report with intervals."""

import pytest

from promptkit.errors import SpecError
from promptkit.metrics.written import (
    evaluate_written,
    exact_match,
    last_number,
    metrics_named,
    normal,
    number,
    rouge_l,
    token_f1,
)
from promptkit.types import Prediction


def said(label, number=0, **more):
    return Prediction(f"r{number}", label, None, **more)


def test_normal_form_drops_case_punctuation_and_articles():
    assert normal("The  Eiffel-Tower, a landmark!") == "eiffeltower landmark"
    assert normal("A") == "a"
    assert normal("?!") == "?!"
    assert normal("Café ﬁ") == "café fi"


def test_exact_match_takes_any_right_answer():
    assert exact_match("the Nile.", ["Amazon", "Nile"]) == 1
    assert exact_match("Nile river", ["Nile"]) == 0


def test_token_f1_by_hand():
    # 'the' goes; of 'cat sat mat' and 'cat on mat' two words are common: 2 * 2 / (3 + 3)
    assert token_f1("the cat sat mat", ["cat on the mat"]) == pytest.approx(2 / 3)
    assert token_f1("dog dog", ["dog"]) == pytest.approx(2 / 3)
    assert token_f1("bird", ["cat", "bird song"]) == pytest.approx(2 / 3)


def test_rouge_l_by_hand_and_in_any_script():
    # longest common subsequence 'a cat sat' of 4 and 5 words: P 3/4, R 3/5, F 2PR / (P + R)
    assert rouge_l("a cat sat down", ["there a big cat sat"]) == pytest.approx(2 / 3)
    assert rouge_l("мама мыла раму", ["мама мыла раму"]) == 1
    assert rouge_l("!", ["cat"]) == 0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", 42), ("It is 1,234.50 euros", 1234.5), ("from -3 to −4", -4), ("10-12 days", 12),
        ("3 x 4 = 12.", 12), ("2e3", 2000), ("none", None), (".5", 0.5), ("1,2,3", 3),
    ],
)  # fmt: skip
def test_the_last_number_counts(text, value):
    assert last_number(text) == value


def test_a_number_is_right_within_its_tolerance():
    assert number("about 11.9", ["12"]) == 0
    assert number("about 11.9", ["12"], tolerance=0.1) == 1
    assert number("12", ["a dozen", "12.0"]) == 1
    assert number("nothing", ["0"]) == 0


def test_a_wrong_metric_names_the_nearest():
    assert list(metrics_named(None)) == ["exact_match", "token_f1"]
    with pytest.raises(SpecError, match="did you mean 'rouge_l'"):
        metrics_named(["rougel"])


def test_the_report_counts_unscored_rows_as_nothing_and_leaves_out_unlabelled_ones():
    golds = [("yes",), ("no", "nope"), ("yes",), None]
    predictions = [
        said("Yes!"),
        said("nope", 1, agreement=0.6, tied=True),
        said(None, 2),
        said("x"),
    ]
    report = evaluate_written(golds, predictions, metrics_named(None), train_golds=[("no",)] * 2)
    assert [(one.metric, one.value, one.n, one.n_unscored) for one in report.scores] == [
        ("exact_match", pytest.approx(2 / 3), 3, 1), ("token_f1", pytest.approx(2 / 3), 3, 1),
    ]  # fmt: skip
    assert all(one.low <= one.value <= one.high for one in report.scores)
    assert [(one.metric, one.value) for one in report.baselines] == [
        ("constant_of_train", pytest.approx(1 / 3))
    ]
    assert (report.majority_label, report.n, report.n_unlabelled) == ("no", 3, 1)
    assert (report.n_unscored, report.n_tied) == (1, 1)
    assert type(report).from_json(report.to_json()) == report


def test_wrong_answers_that_most_samples_gave_come_first():
    golds = [("x b",)] * 4
    predictions = [
        said("c", 0, agreement=0.4), said("x c", 1, agreement=1.0),
        said("d", 2, agreement=0.9), said("x b", 3),
    ]  # fmt: skip
    report = evaluate_written(golds, predictions, metrics_named(["token_f1"]))
    assert [(one.example_id, one.probability) for one in report.worst] == [
        ("r2", 0.9), ("r0", 0.4), ("r1", 1.0),
    ]  # fmt: skip


def test_no_rows_give_no_scores():
    report = evaluate_written([None], [said("x")], metrics_named(None))
    assert report.scores == report.baselines == report.worst == ()
