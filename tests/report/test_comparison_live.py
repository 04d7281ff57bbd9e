from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from promptkit.protocols import Step
from promptkit.report.comparison_live import LiveComparison, left_words, step_words
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.nouns import Line
from tests.report.comparisons import comparison, crowded
from tests.report.samples import printed

WAYS = ["majority", "zero-shot", "features"]


def console(terminal: bool) -> Console:
    return Console(file=StringIO(), force_terminal=terminal, width=100, height=50)


def written(live: LiveComparison) -> str:
    assert isinstance(live.console.file, StringIO)
    return live.console.file.getvalue()


def rough(made: Comparison, done: int) -> Sequence[Line]:
    """Lines after so many cells, with means and no intervals."""
    known = {(cell.entry, cell.size) for cell in made.cells[:done]}
    return [
        line if (line.entry.name, line.size) in known else replace(line, accuracy=None)
        for line in made.lines
    ]


def run(live: LiveComparison, made: Comparison, cells: int, *, stored: int = 0) -> None:
    live.planned(made.plan)
    kept = [planned for planned in made.plan.cells if not planned.dropped]
    for place in range(cells):
        if place >= stored:
            live.started(kept[place])
        live.finished(made.cells[place], rough(made, place + 1), 60.0 * (len(kept) - place - 1))


def test_a_terminal_sees_a_table_that_fills() -> None:
    live, made = LiveComparison(console(True)), comparison(WAYS)
    run(live, made, 4)
    live.started(made.plan.cells[4])
    live.step(Step(12, 40, 0.4123, 0.83))
    text = printed(live.view(), 100)
    assert "now   majority, 8 labelled rows, draw 5 of 15 · step 12 of 40, loss 0.412" in text
    assert "held-out accuracy 0.83" in text
    assert "done  4 of 91 cells, about 87 min left" in text
    line = next(line for line in text.splitlines() if line.startswith("majority"))
    assert line.split() == ["majority", "–", "0.333", "4/15", "0/15", "0/15"]


def test_finished_entries_lose_their_count() -> None:
    live, made = LiveComparison(console(True)), comparison(WAYS)
    run(live, made, len(made.cells))
    text = printed(live.view(), 100)
    assert "0.558" in next(x for x in text.splitlines() if x.startswith("zero-shot"))
    assert "/" not in text
    assert "almost done" in text


def test_failures_and_dropped_cells_are_seen() -> None:
    live, made = LiveComparison(console(True)), crowded()
    run(live, made, len(made.cells))
    text = printed(live.view(), 100)
    assert "failed" in next(x for x in text.splitlines() if x.startswith("lora (para"))
    line = next(x for x in text.splitlines() if x.startswith("full (para"))
    assert line.split()[2:] == ["–"] * 4


def test_before_the_plan_it_says_what_is_tried() -> None:
    live, made = LiveComparison(console(True)), comparison(WAYS)
    live.piloting(made.plan.entries[2])
    assert "now  trying features on a few rows" in printed(live.view(), 100)


def test_the_table_is_gone_at_the_end_and_the_plan_stays() -> None:
    with LiveComparison(console(True)) as live:
        run(live, comparison(WAYS), 3)
    ended = written(live)
    assert "3 ways, 91 cells" in ended
    assert ended.rstrip().endswith("\x1b[2K")


def test_a_log_has_a_line_for_each_entry_and_size() -> None:
    made = comparison(WAYS)
    with LiveComparison(console(False)) as live:
        live.piloting(made.plan.entries[0])
        live.piloting(made.plan.entries[1])
        run(live, made, len(made.cells))
    lines = written(live).splitlines()
    assert len(lines) == 2 + len(made.lines)
    assert lines[0] == "promptkit: trying each way on a few rows, to know what it takes"
    assert lines[1].startswith("promptkit: 3 ways, 91 cells")
    assert lines[2] == "promptkit: majority, 8 labelled rows: accuracy 0.333; about 76 min left"
    assert lines[-1] == "promptkit: features, all labelled rows: accuracy 0.742; almost done"
    assert "\x1b" not in written(live)


def test_what_is_stored_is_not_logged_again() -> None:
    made = comparison(WAYS)
    with LiveComparison(console(False)) as live:
        run(live, made, len(made.cells), stored=len(made.cells))
    assert len(written(live).splitlines()) == 1


def test_a_failure_is_logged_in_one_line() -> None:
    made = comparison(["majority", "lora"], failed={("lora", 8): "boom\n[red]it[/red] broke"})
    with LiveComparison(console(False)) as live:
        run(live, made, len(made.cells))
    assert "lora, 8 labelled rows: failed: boom\\n[red]it[/red] broke; about" in written(live)


def test_standard_output_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with LiveComparison() as live:
        run(live, comparison(WAYS), 20)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "almost done"),
        (0.2, "almost done"),
        (42.4, "about 42 s left"),
        (754, "about 13 min left"),
        (7300, "about 2 h 2 min left"),
    ],
)
def test_the_time_that_is_left_in_words(seconds: float, words: str) -> None:
    assert left_words(seconds) == words


def test_a_step_without_loss_is_told_too() -> None:
    assert step_words(Step(1, 2)) == "step 1 of 2"
