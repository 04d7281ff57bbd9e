import pytest

from promptkit.errors import DataError
from promptkit.metrics.rows import UNSCORED, positions, read_rows
from promptkit.types import Prediction, label_key


def test_labels_that_compare_equal_have_different_keys() -> None:
    assert len({label_key(1), label_key(True), label_key(1.0), label_key("1")}) == 4


def test_zero_false_empty_and_the_text_zero_are_four_labels() -> None:
    labels = (0, False, "", "0")
    predictions = [Prediction(str(i), label, None) for i, label in enumerate(labels)]
    rows = read_rows(labels, predictions, labels)
    assert rows.gold.tolist() == [0, 1, 2, 3]
    assert rows.predicted.tolist() == [0, 1, 2, 3]


def test_rows_without_gold_are_left_out_and_counted() -> None:
    predictions = [Prediction("a", "x", None), Prediction("b", "y", None)]
    rows = read_rows([None, "y"], predictions, ("x", "y"))
    assert [one.example_id for one in rows.predictions] == ["b"]
    assert rows.n_unlabelled == 1


def test_a_falsy_gold_is_a_label_and_not_missing() -> None:
    rows = read_rows([0], [Prediction("a", 0, None)], (0, 1))
    assert rows.n_unlabelled == 0
    assert rows.correct.tolist() == [True]


def test_an_unscored_row_is_never_right() -> None:
    rows = read_rows(["x"], [Prediction("a", None, None)], ("x", "y"))
    assert rows.predicted.tolist() == [UNSCORED]
    assert rows.correct.tolist() == [False]
    assert rows.n_unscored == 1


def test_a_gold_label_that_is_not_declared_names_row_and_label() -> None:
    with pytest.raises(DataError, match=r"row 'a': gold label 1 is not one of the labels"):
        read_rows([1], [Prediction("a", "1", None)], ("0", "1"))


def test_a_predicted_label_that_is_not_declared_is_a_bug() -> None:
    with pytest.raises(ValueError, match="row 'a'"):
        read_rows(["x"], [Prediction("a", "z", None)], ("x", "y"))


def test_a_log_p_of_another_length_is_a_bug() -> None:
    with pytest.raises(ValueError, match="3 log_p for 2 labels"):
        read_rows(["x"], [Prediction("a", "x", (0.0, 0.0, 0.0))], ("x", "y"))


def test_golds_and_predictions_of_different_length_are_a_bug() -> None:
    with pytest.raises(ValueError, match="zip"):
        read_rows(["x", "x"], [Prediction("a", "x", None)], ("x",))


def test_a_label_declared_twice_is_a_bug() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        positions(("x", "y", "x"))


def test_choices_are_numbers_within_the_row() -> None:
    rows = read_rows([2, 0], [Prediction("a", 2, (0.0,) * 3), Prediction("b", None, None)], ())
    assert rows.gold.tolist() == [2, 0]
    assert rows.sizes.tolist() == [3, UNSCORED]


@pytest.mark.parametrize("gold", [3, -1, True, "0", 1.0])
def test_a_gold_that_is_no_choice_of_the_row_is_refused(gold: object) -> None:
    with pytest.raises(DataError, match="number of one of its 3 choices"):
        read_rows([gold], [Prediction("a", 0, (0.0, 0.0, 0.0))], ())  # type: ignore[list-item]
