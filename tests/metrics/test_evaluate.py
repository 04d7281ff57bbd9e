import json
from math import log

import numpy as np
import pytest

from promptkit.metrics import Report, evaluate
from promptkit.types import Prediction

LABELS = ("neg", "pos")


def predicted(name: str, p_pos: float, **more: object) -> Prediction:
    label = "pos" if p_pos >= 0.5 else "neg"
    return Prediction(name, label, (log(1 - p_pos), log(p_pos)), **more)  # type: ignore[arg-type]


GOLDS = ["pos", "neg", "pos", "neg", None, "pos"]
PREDICTIONS = [
    predicted("a", 0.9),
    predicted("b", 0.8),
    predicted("c", 0.3, tied=True),
    predicted("d", 0.1, dropped_shots=2),
    predicted("e", 0.5, tied=True, cut_chars=9),
    Prediction("f", None, None, problem="no room", cut_chars=4),
]


@pytest.fixture
def report() -> Report:
    return evaluate(GOLDS, PREDICTIONS, LABELS)


def value(report: Report, metric: str) -> float:
    score = report.find(metric)
    assert score is not None
    return score.value


def test_all_scores_by_hand(report: Report) -> None:
    assert value(report, "accuracy") == pytest.approx(2 / 5)
    assert value(report, "balanced_accuracy") == pytest.approx((1 / 2 + 1 / 3) / 2)
    # neg: one hit, two golds, two predicted; pos: one hit, three golds, two predicted.
    assert value(report, "macro_f1") == pytest.approx((2 / 4 + 2 / 5) / 2)
    assert value(report, "brier") == pytest.approx(2 * (0.01 + 0.64 + 0.49 + 0.01) / 4)
    assert value(report, "log_loss") == pytest.approx(
        -(log(0.9) + log(0.2) + log(0.3) + log(0.9)) / 4
    )
    # a and d share a bin (0.9), b (0.8) and c (0.7) are alone in theirs.
    assert value(report, "ece") == pytest.approx((2 * 0.1 + 0.8 + 0.7) / 4)


def test_counts_are_of_labelled_rows(report: Report) -> None:
    assert (report.n, report.n_unscored, report.n_unlabelled) == (5, 1, 1)
    assert (report.n_tied, report.n_dropped_shots, report.n_cut) == (1, 1, 1)


def test_probability_scores_state_their_own_n(report: Report) -> None:
    by_name = {score.metric: (score.n, score.n_unscored) for score in report.scores}
    assert by_name["accuracy"] == (5, 1)
    assert by_name["ece"] == by_name["brier"] == by_name["log_loss"] == (4, 0)


def test_confusion_has_a_last_column_for_unscored_rows(report: Report) -> None:
    assert report.confusion == ((1, 1, 0), (1, 1, 1))


def test_baselines_stand_in_the_report(report: Report) -> None:
    assert [one.metric for one in report.baselines] == ["majority_of_golds", "random"]
    assert report.majority_label == "pos"
    assert value(report, "majority_of_golds") == pytest.approx(3 / 5)


def test_training_labels_change_the_majority() -> None:
    report = evaluate(GOLDS, PREDICTIONS, LABELS, train_labels=["neg"])
    assert (report.baselines[0].metric, report.majority_label) == ("majority_of_train", "neg")
    assert report.baselines[0].value == pytest.approx(2 / 5)


def test_worst_are_the_most_confident_errors_and_never_unscored(report: Report) -> None:
    worst = [(one.example_id, one.gold, one.predicted) for one in report.worst]
    assert worst == [("b", "neg", "pos"), ("c", "pos", "neg")]
    assert [one.probability for one in report.worst] == pytest.approx([0.8, 0.7])


def test_only_five_errors_are_kept() -> None:
    many = [predicted(str(i), 0.5 + i / 100) for i in range(9)]
    worst = evaluate(["neg"] * 9, many, LABELS).worst
    assert [one.example_id for one in worst] == ["8", "7", "6", "5", "4"]


def test_every_interval_holds_its_value(report: Report) -> None:
    for score in (*report.scores, *report.baselines):
        assert score.low is not None
        assert score.high is not None
        assert score.low <= score.value <= score.high


def test_the_same_seed_gives_the_same_report_and_another_one_another() -> None:
    rng = np.random.default_rng(0)
    predictions = [predicted(str(i), float(p)) for i, p in enumerate(rng.uniform(0.1, 0.9, 200))]
    golds = [LABELS[i] for i in rng.integers(2, size=200)]
    first = evaluate(golds, predictions, LABELS, seed=3)
    assert first == evaluate(golds, predictions, LABELS, seed=3)
    assert first.scores != evaluate(golds, predictions, LABELS, seed=4).scores


def test_a_report_survives_json(report: Report) -> None:
    text = json.dumps(report.to_json(), allow_nan=False)
    assert Report.from_json(json.loads(text)) == report


def test_labels_keep_their_types_through_json() -> None:
    labels = (0, False, "", "0")
    predictions = [Prediction(str(i), label, None) for i, label in enumerate(labels)]
    report = evaluate(labels, predictions, labels)
    again = Report.from_json(json.loads(json.dumps(report.to_json())))
    assert [type(line.label) for line in again.per_class] == [int, bool, str, str]
    assert value(again, "accuracy") == 1.0


def test_without_probabilities_there_are_no_probability_scores() -> None:
    report = evaluate(["pos"], [Prediction("a", "pos", None)], LABELS)
    assert [one.metric for one in report.scores] == ["accuracy", "balanced_accuracy", "macro_f1"]


def test_without_labelled_rows_there_are_no_scores_and_no_warning() -> None:
    report = evaluate([None], [predicted("a", 0.9)], LABELS)
    assert (report.scores, report.baselines, report.n, report.n_unlabelled) == ((), (), 0, 1)
    assert Report.from_json(report.to_json()) == report


def test_all_rows_unscored_is_zero_and_not_an_error() -> None:
    report = evaluate(["pos", "neg"], [Prediction(name, None, None) for name in "ab"], LABELS)
    assert [(one.metric, one.value) for one in report.scores] == [
        ("accuracy", 0.0),
        ("balanced_accuracy", 0.0),
        ("macro_f1", 0.0),
    ]
    assert report.worst == ()


def test_no_resamples_leave_the_intervals_empty() -> None:
    report = evaluate(GOLDS, PREDICTIONS, LABELS, resamples=0)
    assert all(score.low is None and score.high is None for score in report.scores)


def test_choices_get_accuracy_ece_and_brier_only() -> None:
    predictions = [
        Prediction("a", 1, (log(0.2), log(0.8))),
        Prediction("b", 0, (log(0.5), log(0.3), log(0.2))),
        Prediction("c", None, None),
    ]
    report = evaluate([1, 2, 0], predictions, ())
    assert [one.metric for one in report.scores] == ["accuracy", "ece", "brier"]
    assert value(report, "accuracy") == pytest.approx(1 / 3)
    assert value(report, "brier") == pytest.approx((0.08 + 0.25 + 0.09 + 0.64) / 2)
    assert [one.metric for one in report.baselines] == ["random"]
    assert value(report, "random") == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert (report.per_class, report.confusion, report.majority_label) == ((), (), None)
    assert [(one.gold, one.predicted) for one in report.worst] == [(2, 0)]
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report


def test_a_metric_that_is_absent_is_not_found(report: Report) -> None:
    assert report.find("bleu") is None


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        hit = rng.random(150) < 0.7
        predictions = [predicted(str(i), 0.9 if one else 0.2) for i, one in enumerate(hit)]
        score = evaluate(["pos"] * 150, predictions, LABELS, seed=seed, resamples=400).scores[0]
        assert score.low is not None
        assert score.high is not None
        covered += score.low <= 0.7 <= score.high
    assert 180 <= covered <= 200
