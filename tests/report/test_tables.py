import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from promptkit.metrics import evaluate
from promptkit.report import print_tables, run_table
from promptkit.types import Cost, Prediction, RunRecord
from tests.report.samples import choosing, printed, record

HOSTILE = (
    "[bold red]text[/] \x1b[2J\x1b]0;title\x07 \u202ebackwards 日本語👩‍👩‍👧 \n\t next line " * 3
)


def line_of(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(start))


def test_the_head_says_what_was_run() -> None:
    run = record(shots=8, seed=3)
    text = printed(run_table(run))
    assert line_of(text, "template").split() == ["template", "sentiment_zero_shot"]
    assert "sentence-transformers/all-MiniLM-L6-v2 (embedding)" in line_of(text, "model")
    assert "customer_reviews test, 300 rows" in line_of(text, "data")
    assert "8 demonstrations by nearest, seed 3" in line_of(text, "prompts")
    assert "cosine" in line_of(text, "evidence")
    assert line_of(text, "run").split() == ["run", run.spec.fingerprint()[:8]]


def test_an_answer_from_the_store_is_called_that() -> None:
    assert "answered from the store" not in printed(run_table(record()))
    assert "answered from the store" in line_of(printed(run_table(record(from_store=True))), "run")


def test_scores_stand_with_their_intervals_and_the_baselines_in_one_table() -> None:
    run = record()
    text = printed(run_table(run))
    accuracy = run.report.find("accuracy")
    expected = f"{accuracy.value:.3f} {accuracy.low:.3f} to {accuracy.high:.3f} 300"
    assert line_of(text, "accuracy").split() == ["accuracy", *expected.split()]
    names = ["balanced accuracy", "macro-F1", "ECE (0 is best)", "log loss in nats (0 is best)"]
    names += ["Brier score (0 is best, 2 worst)", "random guessing"]
    names += [f"most frequent label of these rows ({run.report.majority_label})"]
    for name in names:
        assert re.search(r"\d\.\d{3}  \d\.\d{3} to \d\.\d{3}   300$", line_of(text, name))


@pytest.mark.parametrize("unscored", [0, 7])
def test_unscored_rows_are_always_counted(unscored: int) -> None:
    text = printed(run_table(record(unscored=unscored)))
    assert line_of(text, "unscored rows").split() == ["unscored", "rows", str(unscored), "300"]


def test_why_rows_are_unscored_is_said() -> None:
    text = printed(run_table(record(unscored=7)))
    assert "7 rows unscored: the prompt does not fit" in text


def test_ties_cuts_and_missing_golds_are_said_only_where_there_are_any() -> None:
    run = record(n=20)
    assert "tied" not in printed(run_table(run))
    predictions = (
        replace(run.predictions[0], tied=True, dropped_shots=1),
        replace(run.predictions[1], cut_chars=3),
        *run.predictions[2:],
    )
    golds = (*run.golds[:-1], None)
    report = evaluate(golds, predictions, run.labels, resamples=20)
    text = printed(
        run_table(replace(run, golds=golds, predictions=predictions, report=report)), 140
    )
    assert "1 row tied between labels · 1 row with fewer demonstrations, to fit · " in text
    assert "1 row with text cut, to fit · 1 row without a gold label, left out" in text


def test_an_accuracy_at_the_level_of_a_baseline_is_pointed_out() -> None:
    told = "accuracy is not clearly above a baseline: most frequent label of these rows"
    assert told in printed(run_table(record(accuracy=0.0)))
    assert told not in printed(run_table(record(accuracy=0.9)))


def test_cost_has_speed_tokens_time_and_memory() -> None:
    text = " ".join(printed(run_table(record())).split())
    for item in ("24 rows/s", "45,678 prompt tokens", "51,234 computed tokens", "12.3 s"):
        assert item in text
    assert "peak memory 1.5 GiB" in text


def test_a_run_that_took_nothing_has_no_speed() -> None:
    assert "rows/s" not in printed(run_table(record(cost=Cost())))


def test_notes_are_listed() -> None:
    text = printed(run_table(record(notes=("first [red]note[/red]", "second"))))
    assert "• first [red]note[/red]" in text
    assert "• second" in text
    assert "notes" not in printed(run_table(record(notes=())))


def test_errors_show_row_labels_probability_and_text() -> None:
    run = record()
    worst = run.report.worst[0]
    line = line_of(printed(run_table(run)), worst.example_id)
    assert line.split()[:4] == [
        worst.example_id,
        worst.gold,
        worst.predicted,
        f"{worst.probability:.3f}",
    ]
    assert "I bought it in week" in line


def test_no_errors_no_table_of_errors() -> None:
    run = record(n=3)
    predictions = [
        replace(one, label=gold) for one, gold in zip(run.predictions, run.golds, strict=True)
    ]
    report = evaluate(run.golds, predictions, run.labels, resamples=10)
    assert "confident errors" not in printed(run_table(replace(run, report=report)))


def test_text_of_rows_is_printed_as_data() -> None:
    text = printed(run_table(record(texts=[HOSTILE] * 300)), 140)
    assert "[bold red]text[/] \\x1b[2J\\x1b]0;title\\x07 \\u202ebackwards 日本語" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_labels_and_names_are_printed_as_data_too() -> None:
    labels = ("[bold]a[/bold]", "b\x1b[2J")
    text = printed(run_table(record(labels=labels, notes=("\x1b[2J",))))
    assert "[bold]a[/bold]" in text
    assert "\x1b" not in text


def many_shapes() -> list[RunRecord]:
    long = tuple(f"a label of many words, the number {i} of those" for i in range(5))
    return [
        record(texts=[HOSTILE] * 300, unscored=12, shots=4),
        record(tuple(f"intent_{i}" for i in range(77)), n=12_000),
        record(long, n=900),
        record(("日本語のラベル", "👍🏽", "0", ""), n=100),
        choosing(),
    ]


@pytest.mark.parametrize("shape", range(5))
@pytest.mark.parametrize("width", [80, 140])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_broken(shape: int, width: int) -> None:
    text = printed(run_table(many_shapes()[shape]), width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert re.search(r"^accuracy  +0\.\d{3}  0\.\d{3} to [01]\.\d{3} +[\d,]+$", text, re.M)
    for name in ("ECE (0 is best)", "Brier score (0 is best, 2 worst)", "random guessing"):
        assert name in text


def test_a_narrow_window_is_ugly_but_no_error() -> None:
    for run in many_shapes():
        assert printed(run_table(run), 30)


def test_colours_only_in_a_terminal_and_never_with_no_color(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def shown() -> str:
        console = Console(width=80, force_terminal=True, color_system="standard")
        with console.capture() as captured:
            console.print(run_table(record()))
        return captured.get()

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert re.search(r"\x1b\[1;32m *\d", shown())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[\d;]*3\dm", shown())
    assert "\x1b" not in printed(run_table(record()))


def test_labels_that_look_alike_are_told_apart() -> None:
    text = printed(run_table(record((0, "0"), n=50)))
    assert '"0"' in text


def test_a_run_without_gold_labels_can_be_printed() -> None:
    run = record(n=4)
    golds = (None,) * 4
    report = evaluate(golds, run.predictions, run.labels)
    text = printed(run_table(replace(run, golds=golds, report=report)))
    assert "4 rows without a gold label, left out" in text


def test_one_run_is_printed_in_full_and_several_side_by_side() -> None:
    def shown(runs: list[RunRecord]) -> str:
        console = Console(width=80, force_terminal=False)
        with console.capture() as captured:
            print_tables(runs, console)
        return captured.get()

    assert "most confident errors" in shown([record()])
    several = shown([record(seed=0, shots=4), record(seed=1, shots=4)])
    assert "most confident errors" not in several
    assert "2 seeds" in several


def test_rows_of_the_same_problem_are_counted_together_and_the_rest_left_out() -> None:
    run = record(n=10)
    predictions = tuple(
        Prediction(f"row-{i}", None, None, problem=f"[i]reason[/i] {min(i, 5)}") for i in range(10)
    )
    report = evaluate(run.golds, predictions, run.labels, resamples=5)
    text = printed(run_table(replace(run, predictions=predictions, report=report)))
    assert "5 rows unscored: [i]reason[/i] 5" in text
    assert text.count("unscored: ") == 3
