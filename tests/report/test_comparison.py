from __future__ import annotations

from dataclasses import replace

import pytest

from promptkit.report.comparison import comparison_table
from promptkit.runs.compare.comparison import Comparison
from tests.report.comparisons import comparison, crowded
from tests.report.samples import printed

FAR = "(paraphras…LM-L12-v2)"


def shown(made: Comparison, width: int = 80) -> str:
    return printed(comparison_table(made), width)


def lines_with(text: str, start: str) -> list[str]:
    """Lines that begin with this, marks and indents left out."""
    lines = (line.lstrip("→*≈† ") for line in text.splitlines())
    return [line for line in lines if line.startswith(start)]


def test_the_head_says_what_was_compared_on_what() -> None:
    text = shown(comparison())
    assert "customer_reviews, 120 labelled rows" in text
    assert "5-fold cross-validation, 3 times" in text
    assert "differences of accuracy from about 0.052 on" in text
    assert "404 cells computed in 12 min 34 s · 4 from the store" in text


def test_a_fixed_test_set_is_called_one() -> None:
    text = shown(comparison(design="test"))
    assert "test set of 240 rows, 3 draws of the labelled rows" in text
    assert "with all 120 labelled rows" in text


@pytest.mark.parametrize("width", [80, 140])
def test_no_line_is_too_long_and_no_number_is_cut(width: int) -> None:
    for made in (comparison(), crowded()):
        text = shown(made, width)
        assert max(map(len, text.splitlines())) <= width
        for line in made.lines:
            if line.accuracy is not None and line.size in (None, 0):
                score = line.accuracy
                assert f"{score.value:.3f}  {score.low:.3f} to {score.high:.3f}" in text


@pytest.mark.parametrize("width", [44, 60])
def test_narrow_terminals_lose_columns_and_not_digits(width: int) -> None:
    text = shown(comparison(["majority", "features", "lora"]), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert lines_with(text, "lora")[0].split()[1] == "0.771"


def test_zero_shot_prompts_stand_beside_what_was_trained() -> None:
    text = shown(comparison(), 140)
    assert lines_with(text, "zero-shot ")[0].split()[1:3] == ["0", "0.558"]
    assert lines_with(text, "lora")[0].split()[1:3] == ["96", "0.771"]


def test_the_most_accurate_comes_first() -> None:
    text = shown(comparison(), 140)
    accuracies = [float(lines_with(text, name + " ")[0].split()[2]) for name in ("lora", "head")]
    assert accuracies == sorted(accuracies, reverse=True)
    assert text.index(" lora") < text.index(" head") < text.index(" majority")


def test_marks_are_words_below_and_signs_before_names() -> None:
    text = shown(comparison())
    starts = {line.split()[1]: line.split()[0] for line in text.splitlines() if " 0." in line}
    assert starts["lora"] == "*"
    assert starts["features"] == "→≈"
    assert "nearest-neighbour" in {line.split()[0] for line in text.splitlines() if line.strip()}
    assert "→ recommended" in text
    assert "* highest accuracy" in text
    assert "≈ cannot be told apart" in text
    assert "†" not in text


def test_the_best_may_be_the_recommended_one() -> None:
    text = shown(comparison(["majority", "lora"], recommended="lora"))
    assert "\n→*  lora" in text
    assert "≈" not in text


def test_differences_and_adjusted_p_values_stand_together() -> None:
    text = shown(comparison(), 140)
    assert "-0.029     0.263" in lines_with(text, "features")[0]
    assert "best" in lines_with(text, "lora")[0]
    assert "<0.001" in lines_with(text, "majority")[0]


def test_time_parameters_and_memory_have_units() -> None:
    text = shown(comparison(), 140)
    assert lines_with(text, "lora")[0].endswith("2.9 min     15.1 s        385k    1.5 GiB")
    assert lines_with(text, "contrastive")[0].endswith("22.7M    1.5 GiB")


def test_fewer_cells_than_planned_have_a_mark() -> None:
    made = comparison()
    lines = [
        replace(line, cells_done=7) if line.entry.name == "full" else line for line in made.lines
    ]
    text = shown(replace(made, lines=tuple(lines)))
    assert "\n≈†  full" in text
    assert "† fewer cells than planned" in text


def test_what_failed_or_was_dropped_is_listed_with_its_reason() -> None:
    text = " ".join(shown(crowded(), 100).split())
    assert f"lora {FAR}, 32 and all labelled rows: 30 of 30 cells failed: out of memory" in text
    assert "[cuda:0] has 8.0 GiB; give a smaller --model" in text
    assert (
        "full (minilm), 8 labelled rows: 15 of 15 cells left out to keep to the budget of 30 min"
        in text
    )


def test_an_entry_without_numbers_has_dashes() -> None:
    text = shown(crowded(), 140)
    line = next(
        line for line in text.splitlines() if line.startswith("    full") and "min" not in line
    )
    assert line.split()[2:] == ["–"] * 10


def test_labels_and_names_are_data_and_not_markup() -> None:
    made = comparison(["majority", "features"], labels=["[red]a[/red]", "[/b]"])
    entry = replace(made.plan.entries[1], name="[bold]f[/bold]\x1b[2J")
    lines = [
        replace(line, entry=entry) if line.entry.name == "features" else line for line in made.lines
    ]
    text = shown(replace(made, lines=tuple(lines)))
    assert "[red]a[/red], [/b]" in text
    assert "[bold]f[/bold]\\x1b[2J" in text
    assert "\x1b" not in text


def test_nothing_at_all_can_be_shown() -> None:
    made = comparison(["features"], sizes=(None,), dropped=[("features", None)], budget=5.0)
    text = shown(made)
    assert "15 of 15 cells left out to keep to the budget of 5 s" in " ".join(text.split())


def test_names_of_models_are_told_apart() -> None:
    a, b = "/a/model", "/b/model"
    made = comparison(["features"], models=(a, b), recommended="")
    text = shown(made, 140)
    assert lines_with(text, f"features ({a})")
    assert lines_with(text, f"features ({b})")
