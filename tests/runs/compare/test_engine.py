"""Whole comparisons on in-box rows, with strategies that take no model."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from promptkit.errors import Interrupted, SpecError, StoreError
from promptkit.runs.compare.engine import (
    device_of,
    help_comparison,
    plan_comparison,
    run_comparison,
)
from promptkit.runs.compare.entries import OFFERS, Offer
from promptkit.runs.compare.spec import CompareSpec
from promptkit.runs.compare.working import Watch
from promptkit.strategies import STRATEGIES
from promptkit.strategies.majority import Majority

CHEAP = ["majority", "random", "tfidf"]


def spec(**options):
    asked = {"data": rows(), "strategies": CHEAP, "sizes": [8, None], "folds": 3, "seeds": 1}
    return CompareSpec(**(asked | options))


def rows(n=45):
    words = {"good": "lovely", "bad": "awful", "plain": "blue"}
    labels = list(words)
    return [
        {"id": f"r{i}", "text": f"{words[labels[i % 3]]} thing number {i}", "label": labels[i % 3]}
        for i in range(n)
    ]


def told(comparison):
    """What must be the same for two runs of one comparison: all but times and memory."""
    cells = [(c.entry, c.size, c.draw, c.n_train, c.predicted) for c in comparison.cells]
    lines = [
        (x.entry.name, x.size, x.accuracy, x.macro_f1, x.difference, x.p_value)
        for x in comparison.lines
    ]
    return cells, lines, comparison.recommendation.entry, comparison.recommendation.reasons


class Spy(Majority):
    """Notes the rows that it is fitted on and asked about."""

    fitted: list = []  # noqa: RUF012
    asked: list = []  # noqa: RUF012

    def fit(self, train, context=None):
        Spy.fitted.append(list(train))
        return super().fit(train)

    def gather(self, examples):
        Spy.asked.append((Spy.fitted[-1], list(examples)))
        return super().gather(examples)


class Memory(Majority):
    """Memorises the label of every row id that it ever sees with one."""

    seen: dict = {}  # noqa: RUF012

    def fit(self, train, context=None):
        Memory.seen |= {row.id: row.label for row in train}
        return super().fit(train)

    def predict(self, examples):
        Memory.seen |= {row.id: row.label for row in examples if row.label is not None}
        return super().predict(examples)


def plant(monkeypatch, cls, name="planted"):
    """Register a strategy under a name of its own."""
    monkeypatch.setitem(STRATEGIES._targets, name, "planted:Planted")
    monkeypatch.setattr(
        STRATEGIES, "load", lambda n, own=STRATEGIES.load: cls if n == name else own(n)
    )
    monkeypatch.setitem(OFFERS, name, Offer(name, uses_model=False, always=True))


def test_a_comparison_finds_the_way_that_works(home):
    found = run_comparison(spec())
    assert found.recommendation.entry.name == "tfidf"
    by_name = {(line.entry.name, line.size): line for line in found.lines}
    assert by_name["tfidf", None].accuracy.value > 0.9
    assert by_name["majority", None].accuracy.value < 0.5
    assert by_name["random", 0].accuracy.value < 0.6
    assert by_name["majority", None].p_value < 0.05


def test_fit_sees_training_rows_only_and_held_out_rows_come_without_labels(home, monkeypatch):
    plant(monkeypatch, Spy)
    Spy.fitted, Spy.asked = [], []
    run_comparison(spec(strategies=["planted"]))
    assert len(Spy.asked) >= len(Spy.fitted) > 0
    for train, held in Spy.asked:
        assert not {row.id for row in train} & {row.id for row in held}
        assert all(row.label is None for row in held)
        assert all(row.label is not None for row in train)


def test_a_strategy_that_memorises_ids_gains_nothing(home, monkeypatch):
    plant(monkeypatch, Memory)
    Memory.seen = {}
    found = run_comparison(spec(strategies=["planted", "majority"], seeds=2))
    lines = {(x.entry.name, x.size): x.accuracy.value for x in found.lines}
    assert lines["planted", None] == lines["majority", None]


def test_the_same_command_again_is_answered_from_the_store(home):
    first = run_comparison(spec())
    again = run_comparison(spec())
    assert told(first) == told(again)
    assert again.from_store == len(again.cells) > 0
    assert first.from_store == 0
    assert run_comparison(spec(fresh=True)).from_store == 0


def test_more_strategies_take_up_what_is_there(home):
    run_comparison(spec(strategies=["majority"]))
    found = run_comparison(spec())
    assert found.from_store == 6


def test_ctrl_c_keeps_what_is_finished_and_the_rest_gives_the_same_table(home):
    class Stop(Watch):
        def finished(self, cell, lines, seconds_left):
            if cell.entry == "tfidf":
                raise KeyboardInterrupt

    whole = run_comparison(spec(), root=home / "other")
    with pytest.raises(Interrupted, match="cells are stored"):
        run_comparison(spec(), watch=Stop())
    resumed = run_comparison(spec())
    assert 0 < resumed.from_store < len(resumed.cells)
    assert told(resumed) == told(whole)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs SIGKILL")
def test_a_killed_comparison_resumes_to_the_same_table(home):
    script = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from tests.runs.compare.test_engine import spec
from promptkit.runs.compare.engine import run_comparison
from promptkit.runs.compare.working import Watch
class Kill(Watch):
    def finished(self, cell, lines, seconds_left):
        if cell.entry == "tfidf": os.kill(os.getpid(), signal.SIGKILL)
run_comparison(spec(), watch=Kill())
"""
    killed = subprocess.run([sys.executable, "-c", script], check=False, cwd=home)
    assert killed.returncode == -signal.SIGKILL
    (cells,) = (home / ".promptkit" / "comparisons").glob("*/cells-*.jsonl")
    with cells.open("a") as file:
        file.write('{"key": "half a li')
    resumed = run_comparison(spec())
    assert resumed.from_store > 0
    assert told(resumed) == told(run_comparison(spec(), root=home / "other"))
    assert cells.read_text().endswith('"half a li')  # a killed worker's file is left as it is


def test_a_second_worker_takes_the_cells_that_the_first_one_has_not(home):
    helped = []

    class Second(Watch):
        def started(self, cell):
            if not helped:
                helped.append(help_comparison(spec()))

    found = run_comparison(spec(), watch=Second())
    (computed, left) = helped[0]
    assert (computed, left) == (len(found.cells) - 1, 1)  # all but the one that was begun
    assert found.from_store == computed
    assert told(found) == told(run_comparison(spec(), root=home / "other"))


def test_nothing_is_computed_anew_under_another_worker(home):
    class Second(Watch):
        def started(self, cell):
            run_comparison(spec(fresh=True))

    with pytest.raises(StoreError, match="1 other processes work on this comparison"):
        run_comparison(spec(), watch=Second())


def test_further_processes_give_the_same_table(home):
    alone = run_comparison(spec(), root=home / "other")
    together = run_comparison(spec(), processes=2)
    assert told(together) == told(alone)


def test_a_plan_computes_no_cell(home):
    plan = plan_comparison(spec())
    assert {cell.entry.name for cell in plan.cells} == set(CHEAP)
    assert plan.seconds > 0
    assert plan.detectable > 0
    assert not list((home / ".promptkit").rglob("cells*.jsonl"))


def test_sizes_beyond_the_rows_are_left_out_with_a_note(home):
    plan = plan_comparison(spec(sizes=[8, 1000, None]))
    assert plan.sizes == (8, None)
    assert "1000" in plan.notes[0]


def test_rows_with_a_test_split_are_evaluated_on_it(home):
    found = run_comparison(
        CompareSpec(data="customer_reviews", strategies=["majority", "tfidf"], sizes=[8, None])
    )
    assert (found.plan.design, found.plan.n_rows, found.plan.n_held) == ("test", 120, 240)
    tfidf = next(x for x in found.lines if x.entry.name == "tfidf" and x.size == 8)
    assert tfidf.cells_done == 3


def test_a_budget_drops_cells_and_says_so(home, monkeypatch):
    monkeypatch.setitem(OFFERS, "tfidf", Offer("tfidf", uses_model=False))
    found = run_comparison(spec(budget=1e-6))
    assert {cell.entry for cell in found.cells} == {"majority", "random"}
    assert "were dropped to keep the budget" in found.notes[0]
    (line,) = [x for x in found.lines if x.entry.name == "tfidf" and x.size is None]
    assert line.accuracy is None


def test_an_unknown_strategy_is_named(home):
    with pytest.raises(SpecError, match="did you mean 'tfidf'"):
        run_comparison(spec(strategies=["tf-idf"]))


def test_a_strategy_that_fails_is_a_line_with_a_reason(home, monkeypatch):
    from promptkit.errors import BackendError

    class Broken(Majority):
        def fit(self, train, context=None):
            raise BackendError("no memory left", hint="use a smaller model")

    plant(monkeypatch, Broken)
    found = run_comparison(spec(strategies=["majority", "planted"]))
    (line,) = [x for x in found.lines if x.entry.name == "planted" and x.size is None]
    assert line.problem == "no memory left; use a smaller model"
    assert found.recommendation.entry.name == "majority"


def test_without_a_gpu_everything_runs_on_the_cpu():
    assert device_of(spec(gpu=False)) == "cpu"
    assert device_of(spec(device="cuda")) == "cuda"
    with pytest.raises(SpecError, match="--device cuda with --no-gpu"):
        device_of(spec(gpu=False, device="cuda"))
