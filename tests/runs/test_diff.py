"""Two runs, row by row."""

from dataclasses import replace

import pytest

from promptkit.errors import DataError, SpecError
from promptkit.metrics import evaluate
from promptkit.runs.diff import diff
from promptkit.types import Cost, Prediction, RunRecord, RunSpec

LABELS = ("a", "b", 1, True)


def run(golds, predicted, *, ids=None, seed=0, texts=None):
    ids = ids or [f"r{i}" for i in range(len(golds))]
    predictions = tuple(Prediction(i, p, None) for i, p in zip(ids, predicted, strict=True))
    return RunRecord(
        spec=RunSpec({"name": "reviews", "split": "test"}, {}, {}, {"name": "x"}, seed=seed),
        labels=LABELS,
        golds=tuple(golds),
        texts=tuple(texts or (f"text {i}" for i in ids)),
        predictions=predictions,
        report=evaluate(tuple(golds), predictions, LABELS, resamples=0),
        cost=Cost(),
        packages={},
    )


GOLDS = ["a", "a", "b", "b", "a", "b"]
FIRST = run(GOLDS, ["a", "a", "b", "a", "b", None])
SECOND = run(GOLDS, ["a", "b", "a", "a", "a", None], seed=1)


def test_rows_are_counted_by_who_gets_them_right():
    found = diff(FIRST, SECOND)
    assert (found.paired.only_first, found.paired.only_second) == (2, 1)
    assert (found.both_right, found.both_wrong, found.same_mistake) == (1, 2, 1)
    assert found.accuracies == pytest.approx((3 / 6, 2 / 6))
    assert found.paired.difference.value == pytest.approx(1 / 6)
    assert found.paired.p_value == 1.0
    assert found.notes == ()


def test_the_rows_that_only_one_gets_right_are_listed_in_the_order_of_the_first():
    found = diff(FIRST, SECOND).rows
    assert [(row.example_id, row.only) for row in found] == [("r1", 1), ("r2", 1), ("r4", 2)]
    assert (found[0].gold, found[0].first, found[0].second) == ("a", "a", "b")
    assert found[0].text == "text r1"


def test_runs_are_joined_on_ids_and_what_only_one_has_is_told():
    other = run(GOLDS[:3][::-1], ["b", "a", "a"], ids=["r2", "r1", "r0"], seed=1)
    found = diff(FIRST, other)
    assert found.paired.n == 3
    assert found.both_right == 3
    assert found.notes == ("3 rows of run " + FIRST.spec.fingerprint()[:8] + " alone, left out",)


def test_one_and_true_are_two_labels():
    found = diff(run([1, True], [1, 1]), run([1, True], [True, True], seed=1))
    assert [(row.example_id, row.only) for row in found.rows] == [("r0", 1), ("r1", 2)]


def test_rows_whose_gold_labels_differ_are_left_out_and_counted():
    corrected = run(["b", *GOLDS[1:]], ["b"] * 6, seed=1)
    found = diff(FIRST, corrected)
    assert found.paired.n == 5
    assert found.notes == ("1 row with another gold label in each run, left out",)


def test_rows_without_a_gold_label_are_left_out_and_counted():
    golds = [None, *GOLDS[1:]]
    found = diff(run(golds, ["a"] * 6), run(golds, ["b"] * 6, seed=1))
    assert found.paired.n == 5
    assert found.notes == ("1 row without a gold label, left out",)


def test_the_same_id_with_another_text_is_told():
    found = diff(FIRST, replace(SECOND, texts=("other", *SECOND.texts[1:])))
    assert "same id and another text" in found.notes[0]


@pytest.mark.parametrize(
    ("other", "error", "said"),
    [
        (FIRST, SpecError, "both are run"),
        (run(GOLDS, GOLDS, ids="uvwxyz", seed=1), DataError, "share no row: rows are joined by id"),
        (run("bbaaba", GOLDS, seed=1), DataError, "6 rows that runs .* another gold label"),
    ],
)
def test_what_cannot_be_compared_says_why(other, error, said):
    with pytest.raises(error, match=said):
        diff(FIRST, other)


def test_runs_without_gold_labels_cannot_be_compared():
    golds = [None] * 6
    with pytest.raises(DataError, match="have no gold label"):
        diff(run(golds, ["a"] * 6), run(golds, ["a"] * 6, seed=1))
