from promptkit.metrics.baselines import majority, random_guess
from promptkit.metrics.rows import Rows, read_rows
from promptkit.types import Prediction

LABELS = ("x", "y")


def rows(golds: list[str]) -> Rows:
    return read_rows(golds, [Prediction(str(i), None, None) for i in range(len(golds))], LABELS)


def test_majority_of_train_is_scored_on_the_golds() -> None:
    score, label = majority(rows(["y", "x", "x", "x"]), LABELS, ["y", "y", "x"])
    assert (score.metric, score.value, label) == ("majority_of_train", 0.25, "y")


def test_majority_of_golds_says_so_when_there_are_no_training_labels() -> None:
    for train in (None, []):
        score, label = majority(rows(["y", "x", "x", "x"]), LABELS, train)
        assert (score.metric, score.value, label) == ("majority_of_golds", 0.75, "x")


def test_the_first_label_wins_a_draw() -> None:
    assert majority(rows(["y", "x"]), LABELS, ["y", "x"])[1] == "x"


def test_its_interval_is_binomial() -> None:
    score, _ = majority(rows(["x"] * 50 + ["y"] * 50), LABELS, None)
    assert (score.low, score.high) == (0.40, 0.60)


def test_true_is_not_counted_as_one() -> None:
    predictions = [Prediction("a", None, None)]
    score, label = majority(read_rows([True], predictions, (1, True)), (1, True), [True, 1, True])
    assert (score.value, label) == (1.0, True)
    assert label is True


def test_training_rows_without_a_declared_label_do_not_count() -> None:
    score, label = majority(rows(["y", "x"]), LABELS, ["z", "z", None, None, "y"])
    assert (score.metric, label) == ("majority_of_train", "y")
    assert majority(rows(["x"]), LABELS, ["z", None])[0].metric == "majority_of_golds"


def test_random_guessing_has_the_binomials_interval() -> None:
    score = random_guess(rows(["x"] * 100))
    assert score is not None
    assert (score.value, score.low, score.high, score.n) == (0.5, 0.40, 0.60, 100)


def test_random_guessing_among_choices_averages_over_rows_of_known_size() -> None:
    predictions = [
        Prediction("a", 0, (0.0, 0.0)),
        Prediction("b", 0, (0.0,) * 4),
        Prediction("c", None, None),
    ]
    score = random_guess(read_rows([0, 0, 0], predictions, ()))
    assert score is not None
    assert (score.value, score.n) == (0.375, 2)


def test_nothing_to_guess_gives_no_baseline() -> None:
    assert random_guess(read_rows([0], [Prediction("a", None, None)], ())) is None
