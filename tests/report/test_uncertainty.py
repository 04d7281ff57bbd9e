"""What acting on uncertainty brings, as a reader sees it."""

from dataclasses import replace

import numpy as np

from promptkit.metrics.conformal import Conformal, set_report
from promptkit.metrics.exact import share
from promptkit.metrics.selective import abstain_threshold, coverage_curve
from promptkit.report.uncertainty import points, uncertainty_markdown, uncertainty_table
from promptkit.runs.uncertainty import Abstaining, LabelSets, Uncertainty
from tests.report.samples import printed

SURE = np.linspace(1, 0.01, 100)
RIGHT = np.array([i < 60 or i % 2 == 0 for i in range(100)])


def abstaining(wanted=0.8, sure=SURE, right=RIGHT):
    return Abstaining(
        abstain_threshold(sure, right, wanted),
        abstain_threshold(sure, right, wanted, "empirical accuracy"),
        coverage_curve(sure, right),
        share("answered", 70, 100),
        share("accuracy_of_answered", 65, 70),
    )


def sets(n_labels=3):
    held = np.eye(n_labels, dtype=bool)[np.arange(60) % n_labels]
    held[0] = False
    labels = [f"label-{i}" for i in range(n_labels)]
    report = set_report(held, np.arange(60) % n_labels, labels)
    return LabelSets(Conformal("least", 0.9, 0.7, 100), report, 2)


def found(**parts):
    usual = {"abstain": None, "sets": None, "scope": None, "columns": {}}
    return Uncertainty(**{"n": 100, "fingerprint": "ab", "notes": (), **usual, **parts})


def words(what, width=120):
    return " ".join(printed(what, width).split())


def test_the_threshold_and_what_it_promises_are_said():
    text = words(uncertainty_table(found(abstain=abstaining())))
    assert "chosen on 100 training rows that were not learned from" in text
    assert (
        "0.8 accuracy with probability 0.9: answered where the highest probability is above 0.300"
        in text
    )
    assert "70% of the training rows, 0.929 of them right and at least 0.8" in text
    assert "0.8 empirical accuracy: every row that has a prediction is answered: 100%" in text


def test_nothing_answered_is_a_dash_and_a_reason():
    none = abstaining(0.999)
    text = words(uncertainty_table(found(abstain=replace(none, accuracy=share("a", 0, 0)))))
    assert "nothing is answered, as the 100 rows do not show it" in text
    assert "a – – 0" in text


def test_the_curve_is_shown_from_the_surest_rows_on():
    text = printed(uncertainty_table(found(abstain=abstaining())))
    lines = [line.split() for line in text.splitlines() if line.strip().startswith(("10%", "100%"))]
    assert [line[:2] for line in lines] == [["10%", "1.000"], ["100%", "0.800"]]


def test_rows_that_are_equally_sure_are_one_line_of_the_curve():
    assert points(coverage_curve([0.5] * 4, [True, False] * 2)) == [(1.0, 0.5)]
    assert points(coverage_curve([0.5, -np.inf], [True, False])) == [(0.5, 1.0)]


def test_sets_say_where_their_coverage_may_lie_and_which_labels_are_held():
    text = words(uncertainty_table(found(sets=sets())))
    assert "0.9 of the sets are to hold the right label; chosen on 100 rows, it may be 0.8" in text
    assert "label-0 0.950" in text
    assert "2 rows without a prediction have no set" in text


def test_of_many_labels_those_held_least_are_shown():
    text = words(uncertainty_table(found(sets=sets(20))))
    assert "label-0 0.667" in text
    assert "8 others left out" in text


def test_markdown_holds_the_same_figures():
    text = uncertainty_markdown(found(abstain=abstaining(), sets=sets()))
    assert "### Acting on uncertainty" in text
    assert "| rows answered | 0.700 | 0.600 to 0.788 | 100 |" in text
    assert "| 100% | 0.800 |" in text
