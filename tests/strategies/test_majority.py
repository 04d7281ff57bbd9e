"""Always the most frequent label."""

import numpy as np
import pytest

from promptkit.errors import DataError, StoreError
from promptkit.strategies.majority import Majority
from promptkit.strategies.reading import Reading
from promptkit.types import Example

LABELS = ("a", "b", "c", 0, False)
ROWS = [Example("x", {"text": "anything"}), Example("y", {"text": ""})]


def rows(*labels):
    return [Example(f"t{i}", {"text": "same"}, label) for i, label in enumerate(labels)]


def fitted(*labels):
    return Majority(LABELS, Reading(("text",))).fit(rows(*labels))


def test_the_most_frequent_label_is_said_with_its_smoothed_share():
    for prediction in fitted("b", "b", "a", 0).predict(ROWS):
        assert prediction.label == "b"
        assert np.exp(prediction.log_p) == pytest.approx([2 / 7, 3 / 7, 0, 2 / 7, 0])


def test_zero_and_false_are_two_labels():
    assert fitted(False, False, 0).predict(ROWS)[0].label is False


def test_of_equally_frequent_labels_the_first_declared_one_wins_and_the_tie_is_told():
    (prediction, _) = fitted("c", "b", "b", "c").predict(ROWS)
    assert (prediction.label, prediction.tied) == ("b", True)


def test_one_label_is_certain():
    prediction = fitted("c").predict(ROWS)[0]
    assert prediction.label == "c"
    assert prediction.log_p[2] == 0
    assert prediction.log_p[0] == -np.inf


@pytest.mark.parametrize("labels", [(), ("d",), (None,), (True,)])
def test_rows_that_cannot_be_counted_are_an_error(labels):
    with pytest.raises(DataError):
        fitted(*labels)


def test_the_counts_of_another_task_are_refused(tmp_path):
    fitted("a", "b").save(tmp_path)
    with pytest.raises(StoreError, match="of 5 labels, and the task has 2"):
        Majority(("a", "b"), Reading(("text",))).restore(tmp_path)
    (tmp_path / "counts.json").write_text("{")
    with pytest.raises(StoreError, match=r"counts.json: cannot be read"):
        Majority(LABELS, Reading(("text",))).restore(tmp_path)
