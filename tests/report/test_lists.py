from dataclasses import replace
from datetime import datetime

import pytest

from promptkit.report import runs_table, seeds_table
from tests.report.samples import choosing, printed, record

RUN = {
    "fingerprint": "3f2a9c1b7e0d4455",
    "when": "2025-11-23T12:01:33+00:00",
    "status": "complete",
    "template": "sentiment_zero_shot",
    "model": "sentence-transformers/all-MiniLM-L6-v2",
    "data": "customer_reviews test",
    "shots": 0,
    "n": 1200,
    "accuracy": 0.81234,
}


def words(text: str, start: str) -> list[str]:
    return next(line for line in text.splitlines() if line.startswith(start)).split()


def test_seeds_have_a_line_each_and_mean_lowest_and_highest() -> None:
    runs = [record(seed=seed, shots=4) for seed in range(3)]
    text = printed(seeds_table(runs))
    accuracies = [run.report.find("accuracy").value for run in runs]
    for seed, run in enumerate(runs):
        assert words(text, f"{seed} ")[:3] == [
            str(seed),
            run.spec.fingerprint()[:8],
            f"{accuracies[seed]:.3f}",
        ]
    assert words(text, "mean")[1] == f"{sum(accuracies) / 3:.3f}"
    assert words(text, "lowest")[1] == f"{min(accuracies):.3f}"
    assert words(text, "highest")[1] == f"{max(accuracies):.3f}"


def test_seeds_show_the_baselines_and_unscored_rows() -> None:
    text = printed(seeds_table([record(shots=4, unscored=2)]))
    assert "random guessing 0.333" in text
    assert words(text, "0 ")[-1] == "2"


@pytest.mark.parametrize("width", [80, 140])
def test_all_metric_names_and_numbers_are_whole(width: int) -> None:
    text = printed(seeds_table([record(seed=seed, shots=4) for seed in range(5)]), width)
    assert max(map(len, text.splitlines())) <= width
    for word in ("accuracy", "balanced", "macro-F1", "ECE", "Brier", "log", "loss", "unscored"):
        assert word in text
    assert len(words(text, "4 ")) == 9


def test_a_metric_that_one_run_lacks_is_a_dash_there() -> None:
    whole = record(seed=1)
    report = replace(record().report, scores=record().report.scores[:3])
    text = printed(seeds_table([record(report=report), whole]))
    assert words(text, "0 ")[5:] == ["–", "–", "–", "0"]


def test_choices_have_seeds_too() -> None:
    assert "Brier" in printed(seeds_table([choosing(), choosing()]))


def test_no_records_are_an_error() -> None:
    with pytest.raises(ValueError, match="no records"):
        seeds_table([])


def test_stored_runs_are_listed_on_a_line_where_there_is_space() -> None:
    text = printed(runs_table([RUN]), 140)
    line = "3f2a9c1b 2025-11-23 12:01 sentiment_zero_shot all-MiniLM-L6-v2 customer_reviews test"
    assert words(text, "3f2a9c1b") == [*line.split(), "0", "1,200", "0.812"]


def test_names_are_stacked_and_not_broken_where_there_is_none() -> None:
    text = printed(runs_table([RUN]), 80)
    for name in ("sentiment_zero_shot", "all-MiniLM-L6-v2", "customer_reviews test", "1,200"):
        assert name in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_partial_run_has_no_accuracy() -> None:
    partial = RUN | {"status": "partial", "accuracy": None}
    assert words(printed(runs_table([partial]), 140), "3f2a9c1b")[-1] == "partial"


def test_a_complete_run_without_golds_has_a_dash() -> None:
    assert words(printed(runs_table([RUN | {"accuracy": None}]), 140), "3f2a9c1b")[-1] == "–"


def test_times_may_be_datetimes_or_missing() -> None:
    text = printed(runs_table([RUN | {"when": datetime(2025, 1, 2, 3, 4, 5)}]), 140)
    assert "2025-01-02 03:04 " in text
    assert "–" in printed(runs_table([RUN | {"when": None}]), 140)


def test_what_a_row_lacks_is_a_dash() -> None:
    assert words(printed(runs_table([{"fingerprint": "ab"}])), "ab").count("–") >= 3


def test_names_of_runs_are_data() -> None:
    text = printed(runs_table([RUN | {"template": "[red]t[/red]\x1b[2J"}]), 140)
    assert "[red]" in text
    assert "\x1b" not in text
