from __future__ import annotations

from dataclasses import replace

from promptkit.report.gaps import gaps_of
from tests.report.comparisons import comparison, crowded


def test_a_size_that_failed_once_is_told_with_its_numbers() -> None:
    made = comparison(["features"], failed={("features", 8): "boom"})
    cells = [
        replace(cell, problem="") if cell.draw else cell for cell in made.cells if cell.size == 8
    ]
    (gap,) = gaps_of(replace(made, cells=tuple(cells)))
    assert gap.sentence() == "features, 8 labelled rows: 1 of 15 cells failed: boom"


def test_a_line_may_be_all_that_says_why() -> None:
    made = comparison(["features"], failed={("features", 8): "boom"})
    (gap,) = gaps_of(replace(made, cells=()))
    assert gap.sentence() == "features, 8 labelled rows: 15 of 15 cells missing: boom"


def test_cells_of_one_reason_are_told_together() -> None:
    gaps = gaps_of(crowded())
    assert [(gap.missing, gap.planned, len(gap.sizes)) for gap in gaps] == [
        (30, 30, 2),
        (15, 15, 1),
        (45, 45, 3),
    ]


def test_sizes_are_told_in_rising_order() -> None:
    made = comparison(["lora"], failed={("lora", size): "boom" for size in (8, 32, None)})
    (gap,) = gaps_of(replace(made, cells=tuple(reversed(made.cells))))
    assert gap.sizes == (8, 32, None)


def test_nothing_is_missing() -> None:
    assert gaps_of(comparison()) == []
