from __future__ import annotations

from dataclasses import replace

from promptkit.report.standing import entry_names, final_lines, size_head, standings
from promptkit.runs.compare.nouns import Entry
from tests.report.comparisons import comparison


def test_each_entry_stands_once_at_its_largest_size() -> None:
    found = final_lines(comparison())
    assert found["lora"].size is None
    assert found["zero-shot"].size == 0


def test_the_largest_size_may_be_a_number() -> None:
    found = final_lines(comparison(sizes=(0, 8, 32)))
    assert found["lora"].size == 32


def test_two_lines_without_a_difference_have_one_best() -> None:
    made = comparison(["tfidf", "features"])
    lines = [replace(line, difference=None, is_best=True) for line in made.lines]
    best = [one for one in standings(replace(made, lines=tuple(lines))) if one.is_best]
    assert [one.line.entry.name for one in best] == ["features"]


def test_without_a_test_nothing_is_called_alike() -> None:
    made = comparison()
    lines = [replace(line, p_value=None) for line in made.lines]
    assert not any(one.is_alike for one in standings(replace(made, lines=tuple(lines))))


def test_a_short_name_that_two_share_is_not_used() -> None:
    entries = [Entry(f"f ({m})", "f", {}, m, 0) for m in ("/a/m", "/b/m", "/c/other")]
    name = entry_names(entries)
    assert [name(entry.name) for entry in entries] == ["f (/a/m)", "f (/b/m)", "f (other)"]


def test_all_rows_are_headed_by_how_many_they_are() -> None:
    assert size_head(comparison(), None) == "all (96)"
    assert size_head(comparison(n_rows=12_000), None) == "all (9,600)"
    assert size_head(comparison(), 0) == "0"
