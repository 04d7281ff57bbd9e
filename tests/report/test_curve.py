from __future__ import annotations

from dataclasses import replace

import pytest

from promptkit.report.curve import best_of_sizes, curve_table, shown_order, shown_sizes
from tests.report.comparisons import WAYS, comparison, crowded
from tests.report.samples import printed


def words(text: str, start: str) -> list[str]:
    return next(line for line in text.splitlines() if line.startswith(start)).split()


@pytest.mark.parametrize("width", [80, 140])
def test_every_way_has_a_line_with_a_number_for_each_size(width: int) -> None:
    text = printed(curve_table(comparison()), width)
    for name in WAYS:
        assert words(text, name)
    assert words(text, "contrastive") == ["contrastive", "–", "0.647*", "0.707*", "0.767"]
    assert words(text, "zero-shot ") == ["zero-shot", "0.558", "–", "–", "–"]
    assert words(text, "strategy") == ["strategy", "0", "8", "32", "all", "(96)"]


def test_sizes_without_numbers_are_left_out() -> None:
    assert shown_sizes(comparison(["tfidf", "lora"])) == [8, 32, None]


def test_the_best_of_each_size_is_the_first_of_equals() -> None:
    made = comparison(["tfidf", "lora"])
    lines = [replace(line, accuracy=made.lines[0].accuracy) for line in made.lines]
    best = best_of_sizes(replace(made, lines=tuple(lines)))
    assert {line.entry.name for line in best.values()} == {"tfidf"}


def test_what_has_no_number_with_all_rows_comes_last() -> None:
    assert shown_order(crowded())[-1].startswith("full (/srv")
