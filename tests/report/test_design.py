from __future__ import annotations

from dataclasses import replace

from promptkit.report.design import (
    budget_text,
    design_text,
    detectable_text,
    labels_text,
    listed,
    plan_facts,
    sizes_text,
)
from tests.report.comparisons import comparison


def test_words_of_the_design() -> None:
    assert design_text(replace(comparison().plan, repeats=1)) == "5-fold cross-validation, once"
    one = replace(comparison(design="test").plan, repeats=1)
    assert design_text(one) == "test set of 240 rows, 1 draw of the labelled rows"
    assert labels_text([0, "0", False]) == '3: 0, "0", False'
    assert labels_text(range(77)).endswith("5 and 71 more")
    assert sizes_text((0, None)) == "0 and all"
    assert listed([]) == ""


def test_what_rows_can_show_and_what_time_is_allowed() -> None:
    plan = comparison().plan
    assert detectable_text(plan) == "differences of accuracy from about 0.052 on"
    assert "too few" in detectable_text(replace(plan, detectable=None))
    assert budget_text(plan) == "none"
    assert budget_text(replace(plan, budget_seconds=5400.0)) == "90 min"


def test_a_comparison_without_models_names_none() -> None:
    names = [name for name, _ in plan_facts(comparison(["majority", "tfidf"]).plan)]
    assert names == ["data", "labels", "design", "sizes", "can show"]
    several = dict(plan_facts(comparison(["features"], models=("a", "b\x1b")).plan))
    assert several["models"] == "a\nb\\x1b"
