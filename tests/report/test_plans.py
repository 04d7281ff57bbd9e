from __future__ import annotations

from dataclasses import replace

import pytest

from promptkit.report.plans import plan_line, plan_table
from promptkit.runs.compare.nouns import Plan
from tests.report.comparisons import comparison, crowded
from tests.report.samples import printed


def shown(plan: Plan, width: int = 80) -> str:
    return printed(plan_table(plan), width)


def words(text: str, start: str) -> list[str]:
    return next(line for line in text.splitlines() if line.startswith(start)).split()


@pytest.mark.parametrize("width", [80, 140])
def test_every_entry_has_its_times_and_cells(width: int) -> None:
    text = shown(comparison().plan, width)
    assert max(map(len, text.splitlines())) <= width
    lora = ["–", "14.6", "s", "57.4", "s", "2.9", "min", "45", "60.8", "min"]
    assert words(text, "lora")[1:] == lora
    assert words(text, "zero-shot ")[1:] == ["0.34", "s", "–", "–", "–", "1", "0.34", "s"]


def test_total_and_budget_and_what_rows_can_show() -> None:
    text = shown(comparison().plan)
    assert words(text, "together") == ["together", "about", "2", "h", "53", "min"]
    assert words(text, "budget") == ["budget", "none"]
    assert "differences of accuracy from about 0.052 on" in text
    assert "left out" not in text


@pytest.mark.parametrize("width", [80, 140])
def test_dropped_cells_are_in_brackets_and_listed(width: int) -> None:
    text = shown(crowded().plan, width)
    assert "(5.7 s)" in text
    assert "30 of 45" in text
    assert words(text, "budget") == ["budget", "30", "min"]
    assert "Computed first, whatever the budget" in text
    assert "• full (minilm), 8 labelled rows: 15 cells" in text
    assert "• full (paraphras…LM-L12-v2), 8, 32 and all labelled rows: 15 cells each" in text


def test_cells_that_are_stored_take_no_time() -> None:
    plan = comparison(["majority", "features"]).plan
    cells = [replace(cell, seconds=0.0) if cell.size == 8 else cell for cell in plan.cells]
    text = shown(replace(plan, cells=tuple(cells)))
    assert "30 cells that are stored already, or that could not be tried" in text
    assert words(text, "features")[2:4] == ["0", "s"]


def test_few_rows_can_show_nothing() -> None:
    plan = replace(comparison().plan, detectable=None, notes=("[b] is a label",))
    text = shown(plan)
    assert "no differences of accuracy: the rows are too few for a test" in text
    assert "• [b] is a label" in text


def test_the_plan_on_one_line() -> None:
    assert plan_line(comparison().plan) == (
        "12 ways, 408 cells, about 2 h 53 min; these rows can show differences of accuracy from "
        "about 0.052 on"
    )
    assert "(60 cells left out to keep the budget)" in plan_line(crowded().plan)
