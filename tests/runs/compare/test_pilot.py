"""The pilot: what is tried, how often, and what it says of an entry that fails."""

from types import SimpleNamespace

import pytest

from promptkit.protocols import Step
from promptkit.runs.compare.nouns import Cell, Draw, Entry
from promptkit.runs.compare.pilot import (
    FIRST,
    HELD,
    MANY,
    SECOND,
    _Enough,
    of_usual_length,
    run_pilot,
)
from promptkit.types import Example

LEARNS = Entry("learns", "features", {}, "minilm", 0)
ASKS = Entry("asks", "in_context", {}, "minilm", 1, fits=False)
DRAW = Draw(0, 0, 0, tuple(range(100)), tuple(range(100, 400)))


class Clock:
    """A bench whose cells take the seconds that they are given, in order."""

    def __init__(self, *seconds, problem="", each=0.1):
        self.each = each
        texts = [Example(str(n), {"text": "a" * (5 + n % 3)}) for n in range(400)]
        self.rows = SimpleNamespace(examples=texts)
        self.seconds, self.problem, self.sizes, self.held = list(seconds), problem, [], []

    def cell(self, entry, size, draw, train, held, on_step, fresh, priced):
        assert len(train) == (size if entry.fits else 0)
        self.sizes.append((size, fresh))
        self.held.append(tuple(held))
        took = self.seconds[len(self.sizes) - 1]
        return Cell(
            entry.name, size, draw, len(train), (0,) * len(held), took, self.each * len(held),
            problem=self.problem,
        )  # fmt: skip


def timing(bench, *entries):
    found = run_pilot(bench, entries, DRAW, lambda entry: "key", None, lambda entry: None)
    return found[entries[0].name]


def test_where_loading_took_the_most_the_first_fit_is_done_again():
    bench = Clock(9.0, 4.0, 1.0)
    found = timing(bench, LEARNS)
    assert bench.sizes == [(FIRST, True), (SECOND, True), (FIRST, True)]
    assert found.seconds(FIRST, 0, fresh=True) == 1.0
    assert found.seconds(SECOND, 10, fresh=True) == pytest.approx(4.0 + 10 * 0.1)


def test_where_fitting_took_the_most_it_is_not():
    bench = Clock(6.0, 8.0)
    found = timing(bench, LEARNS)
    assert bench.sizes == [(FIRST, True), (SECOND, True)]
    assert found.seconds(FIRST, 0, fresh=True) == 6.0
    more = SECOND - FIRST
    assert found.seconds(SECOND + more, 0, fresh=True) == pytest.approx(10.0)


def test_what_is_over_soon_is_tried_with_rows_that_are_known():
    bench = Clock(9.0, 0.8, 0.4, 0.2, 0.1)
    found = timing(bench, LEARNS)
    ends = [(SECOND, False), (FIRST, False)]
    assert bench.sizes == [(FIRST, True), (SECOND, True), (FIRST, True), *ends]
    assert bench.held[2] == bench.held[3]
    assert len({bench.held[0], bench.held[1], bench.held[2]}) == 3
    assert found.seconds(SECOND, 0, fresh=False) == pytest.approx(0.2)
    assert found.seconds(FIRST, 0, fresh=False) == pytest.approx(0.1)


@pytest.mark.parametrize(("each", "rows"), [(0.1, HELD), (0.01, MANY)])
def test_many_rows_are_predicted_where_that_is_quick(each, rows):
    bench = Clock(*[0.0] * 5, each=each)
    found = timing(bench, LEARNS)
    assert len(bench.held[2]) == rows
    assert found.seconds(FIRST, 10) == pytest.approx(10 * each)


def test_what_learns_nothing_is_timed_once_it_is_loaded():
    bench = Clock(9.0, 0.0, 0.0, 0.0)
    assert timing(bench, ASKS).seconds(0, 0, fresh=True) == 0.0
    assert len(bench.sizes) == 4


def test_rows_of_usual_length_come_first():
    bench = Clock()
    found = of_usual_length(bench, range(100, 109))
    lengths = [len(bench.rows.examples[place].fields["text"]) for place in found]
    assert lengths[:3] == [6, 6, 6]


def test_an_entry_that_fails_has_no_times():
    bench = Clock(*[1.0] * 5, problem="no")
    assert timing(bench, LEARNS).seconds(100, 100) == 0.0


def test_what_was_not_waited_for_reads_as_fast_as_others_on_its_model():
    class Steps(Clock):
        def cell(self, entry, size, draw, train, held, on_step, fresh, priced):
            if entry is LEARNS:
                raise _Enough(7.0)
            return super().cell(entry, size, draw, train, held, on_step, fresh, priced)

    found = timing(Steps(0.0, 0.0, 0.0, 0.0), LEARNS, ASKS)
    assert found.seconds(FIRST, 50, fresh=True) == pytest.approx(7.0 + 50 * 0.1)


def test_a_fit_that_tells_its_steps_is_not_waited_for(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("promptkit.runs.compare.pilot.time.perf_counter", lambda: now[0])
    done = []

    class Steps(Clock):
        def cell(self, entry, size, draw, train, held, on_step, fresh, priced):
            now[0] += 5.0  # loading
            for step in range(1, 101):
                now[0] += 0.5
                done.append(step)
                on_step(Step(step, 100))
            raise AssertionError("waited for")

    found = timing(Steps(), LEARNS)
    assert max(done) == 6  # the first step, and more than two seconds of others
    assert found.seconds(FIRST, 0, fresh=True) == pytest.approx(5.0 + 100 * 0.5)
