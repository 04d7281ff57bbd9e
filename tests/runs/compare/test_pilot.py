"""The pilot: what is tried, how often, and what it says of an entry that fails."""

import pytest

from promptkit.protocols import Step
from promptkit.runs.compare.nouns import Cell, Draw, Entry
from promptkit.runs.compare.pilot import FIRST, HELD, SECOND, run_pilot

LEARNS = Entry("learns", "features", {}, "minilm", 0)
ASKS = Entry("asks", "in_context", {}, "minilm", 1, fits=False)
DRAW = Draw(0, 0, 0, tuple(range(40)), tuple(range(40, 60)))


class Clock:
    """A bench whose cells take the seconds that they are given, in order."""

    def __init__(self, *seconds, problem=""):
        self.seconds, self.problem, self.sizes = list(seconds), problem, []

    def cell(self, entry, size, draw, train, held, on_step):
        assert len(train) == size
        assert len(held) == HELD
        self.sizes.append(size)
        took = self.seconds[len(self.sizes) - 1]
        return Cell(entry.name, size, draw, len(train), (), took, 0.8, problem=self.problem)


def timing(bench, entry):
    return run_pilot(bench, [entry], DRAW, lambda entry: "key", None, lambda entry: None)[
        entry.name
    ]


def test_where_loading_took_the_most_the_first_fit_is_done_again():
    bench = Clock(9.0, 3.0, 1.0)
    found = timing(bench, LEARNS)
    assert bench.sizes == [FIRST, SECOND, FIRST]
    assert found.seconds(FIRST, 0) == 1.0
    assert found.seconds(SECOND, 10) == pytest.approx(3.0 + 10 * 0.8 / HELD)


def test_where_fitting_took_the_most_it_is_not():
    bench = Clock(6.0, 8.0)
    found = timing(bench, LEARNS)
    assert bench.sizes == [FIRST, SECOND]
    assert found.seconds(FIRST, 0) == 6.0
    assert found.seconds(SECOND + 16, 0) == pytest.approx(10.0)


def test_what_learns_nothing_is_timed_once_it_is_loaded():
    bench = Clock(9.0, 0.0)
    assert timing(bench, ASKS).seconds(0, 0) == 0.0
    assert bench.sizes == [0, 0]


def test_an_entry_that_fails_has_no_times():
    assert timing(Clock(1.0, 1.0, 1.0, problem="no"), LEARNS).seconds(100, 100) == 0.0


def test_a_fit_that_tells_its_steps_is_not_waited_for(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("promptkit.runs.compare.pilot.time.perf_counter", lambda: now[0])
    done = []

    class Steps(Clock):
        def cell(self, entry, size, draw, train, held, on_step):
            now[0] += 5.0  # loading
            for step in range(1, 101):
                now[0] += 0.5
                done.append(step)
                on_step(Step(step, 100))
            raise AssertionError("waited for")

    found = timing(Steps(), LEARNS)
    assert max(done) == 6  # the first step, and more than two seconds of others
    assert found.seconds(FIRST, 0) == pytest.approx(5.0 + 100 * 0.5)
