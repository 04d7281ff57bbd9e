"""From cells to lines, by hand."""

import pytest

from promptkit.runs.compare.lines import final_line, lines_of, rough_lines
from promptkit.runs.compare.nouns import Cell, Draw, Entry, Plan, Planned

ZERO = Entry("zero-shot", "in_context", {}, "m", 0, fits=False)
FIT = Entry("fit", "tfidf", {}, "", 1)
FAILED = Entry("failed", "full", {}, "m", 2)
GOLDS = (0, 1, 0, 1)
DRAWS = [Draw(0, 0, 0, (2, 3), (0, 1)), Draw(1, 0, 1, (0, 1), (2, 3))]
CELLS = [
    Cell("zero-shot", 0, -1, 0, (0, 1, 1, -1), 0.0, 4.0),
    Cell("fit", None, 0, 2, (0, 1), 3.0, 1.0, trained_parameters=7, facts="layer 2"),
    Cell("fit", None, 1, 2, (0, 0), 5.0, 3.0, trained_parameters=7, facts="layer 2"),
    Cell("failed", None, 0, 2, (), 1.0, 0.0, problem="out of memory"),
]
PLAN = Plan(
    "d", "cv", 4, 4, ("x", "y"), 2, 1, (ZERO, FIT, FAILED), (0, None),
    tuple(Planned(FIT, None, n, 2, 2, 1.0) for n in (0, 1)), None, None,
)  # fmt: skip


def lines():
    return {line.entry.name: line for line in lines_of(PLAN, CELLS, GOLDS, DRAWS)}


def test_accuracy_is_the_mean_over_folds_and_unscored_rows_are_wrong():
    found = lines()
    assert found["fit"].accuracy.value == pytest.approx(0.75)
    assert found["zero-shot"].accuracy.value == pytest.approx(0.5)
    assert found["zero-shot"].accuracy.n_unscored == 1


def test_macro_f1_is_that_of_all_rows_of_a_repeat():
    # x: precision 2/3, recall 1; y: precision 1, recall 1/2
    assert lines()["fit"].macro_f1.value == pytest.approx((0.8 + 2 / 3) / 2)


def test_costs_are_means_over_cells():
    fit = lines()["fit"]
    assert (fit.fit_seconds, fit.seconds_per_1000) == (4.0, 1000.0)
    assert (fit.trained_parameters, fit.facts) == (7, "layer 2")
    assert (fit.cells_done, fit.cells_planned) == (2, 2)


def test_the_others_are_tested_against_the_best():
    found = lines()
    assert found["fit"].is_best
    assert found["fit"].difference is None
    assert found["zero-shot"].difference == pytest.approx(-0.25)
    assert 0 < found["zero-shot"].p_value <= 1


def test_a_failure_has_a_problem_and_no_numbers():
    failed = lines()["failed"]
    assert (failed.accuracy, failed.problem, failed.is_best) == (None, "out of memory", False)


def test_rough_lines_have_the_same_means_and_no_intervals():
    for rough, whole in zip(
        rough_lines(PLAN, CELLS, GOLDS, DRAWS), lines_of(PLAN, CELLS, GOLDS, DRAWS), strict=True
    ):
        if whole.accuracy:
            assert rough.accuracy.value == pytest.approx(whole.accuracy.value)
            assert rough.accuracy.low is None


def test_an_entrys_final_line_is_that_of_all_rows():
    found = list(lines().values())
    assert final_line(found, ZERO).size == 0
    assert final_line(found, FIT).size is None
