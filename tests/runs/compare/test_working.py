"""A worker's way through the cells: memory, others, and what it waits for."""

from contextlib import contextmanager

from promptkit.runs.compare import engine, memory, working
from promptkit.runs.compare.store import CellStore
from promptkit.runs.compare.workers import Workers
from promptkit.runs.compare.working import Shift, Watch
from tests.runs.compare.test_engine import CHEAP, spec

CELLS = 13


@contextmanager
def shift(**options):
    rows, draws, name = engine._drawn(spec())
    with CellStore(name).open() as store:
        ready = engine._ready(spec(), rows, draws, name, store, Watch(), pilot=False)
        yield Shift(ready, store, Watch(), **options)


def test_alone_everything_is_computed_however_little_memory_there_is(home):
    with shift(room=lambda peak: False) as own:
        own.work()
    assert own.computed == len(own.cells) == CELLS


def test_beside_others_a_cell_waits_until_there_is_memory_for_it(home):
    with shift(room=lambda peak: False, waits=False) as own:
        with Workers(own.store.folder).present():
            own.work()
            # of each way the first cell is tried, and tells what the others will need
            assert {cell.entry for cell in own.cells} == set(CHEAP)
            assert own.computed == len(CHEAP)
        own.cells.clear()
        own.work()
    assert len(own.cells) == CELLS


def test_there_is_room_for_what_is_held_already_and_for_a_part_of_what_is_free(monkeypatch):
    monkeypatch.setattr("promptkit.backends.memory.free_bytes", lambda device: 1000)
    monkeypatch.setattr(memory, "_resident_bytes", lambda: 500)
    assert memory.room_for(500 + 800)
    assert not memory.room_for(500 + 801)
    monkeypatch.setattr("promptkit.backends.memory.free_bytes", lambda device: None)
    assert memory.room_for(10**15)


def test_who_waits_is_told_for_how_many(home, monkeypatch):
    monkeypatch.setattr(working, "PAUSE", 0.0)
    waited = []

    with shift() as own:
        first = own.ready.plan.cells[0]
        other = Workers(own.store.folder)

        class Told(Watch):
            def waiting(self, cells):
                waited.append(cells)
                other._mine.unlink(missing_ok=True)  # it is gone, and leaves its cell

        own.watch = Told()
        with other.present():
            assert other.claim(own.ready.key(first))
            own.work()
    assert waited == [1]
    assert own.computed == CELLS
