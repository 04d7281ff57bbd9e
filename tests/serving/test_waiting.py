"""The queue: bounded, fair, and nothing lost or twice."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.serving.waiting import Job, QueueFull, Waiting
from promptkit.types import Example


def job(n, name="r"):
    rows = [Example(f"{name}{place}", {"text": "a"}) for place in range(n)]
    return Job(rows, False, lambda job: None)


def test_rows_come_out_in_the_order_in_which_they_went_in():
    waiting, first, second = Waiting(10), job(2), job(1)
    waiting.put(first)
    waiting.put(second)
    assert waiting.rows == 3
    assert waiting.take(8) == [(first, 0), (first, 1), (second, 0)]
    assert waiting.rows == 0


def test_all_rows_of_a_request_or_none_may_wait():
    waiting = Waiting(4)
    waiting.put(job(3))
    with pytest.raises(QueueFull, match="3 rows are waiting, of at most 4"):
        waiting.put(job(2))
    waiting.put(job(1))
    assert waiting.rows == 4


def test_a_large_request_does_not_hold_up_small_ones_nor_they_it():
    waiting, large, small = Waiting(100), job(50, "l"), [job(1, f"s{n}-") for n in range(3)]
    waiting.put(large)
    for one in small:
        waiting.put(one)
    batch = waiting.take(8)
    assert [one for one, _ in batch[:2]] == [large, large]  # a quarter of the batch at a time
    assert all((one, 0) in batch for one in small)
    assert len(batch) == 8
    assert [place for one, place in batch if one is large] == [0, 1, 2, 3, 4]


def test_what_was_dropped_is_not_given():
    waiting, gone, kept = Waiting(100), job(5), job(1)
    waiting.put(gone)
    assert len(waiting.take(2)) == 2
    waiting.put(kept)
    assert waiting.drop(gone) == 3
    assert waiting.drop(gone) == 0
    assert waiting.rows == 1
    assert waiting.take(8) == [(kept, 0)]


def test_closing_wakes_whoever_waits_and_tells_what_was_left():
    waiting, found = Waiting(4), []
    thread = threading.Thread(target=lambda: found.append(waiting.take(4)))
    thread.start()
    assert waiting.close() == []
    thread.join(5)
    assert found == [[]]
    with pytest.raises(QueueFull):
        waiting.put(job(1))
    left = Waiting(4)
    one = job(2)
    left.put(one)
    assert left.close() == [one]
    assert left.take(4) == []


def test_a_batch_waits_for_more_only_as_long_as_it_is_told():
    waiting, late = Waiting(4), job(1)
    waiting.put(job(1))
    thread = threading.Timer(0.02, waiting.put, [late])
    thread.start()
    assert len(waiting.take(2, wait=5.0)) == 2  # full, so that it does not wait on
    waiting.put(job(1))
    began = time.monotonic()
    assert len(waiting.take(2, wait=0.05)) == 1
    assert time.monotonic() - began >= 0.05


def test_a_batch_whose_rows_are_all_dropped_while_it_waits_is_not_the_end():
    waiting, gone, later = Waiting(4), job(1), job(1)
    waiting.put(gone)

    def change():
        waiting.drop(gone)
        waiting.put(later)

    threading.Timer(0.02, change).start()
    assert waiting.take(2, wait=0.05) == [(later, 0)]


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=8),
    most=st.integers(1, 16),
    dropped=st.sets(st.integers(0, 7)),
)
def test_every_row_is_given_once_and_in_order_unless_it_is_dropped(sizes, most, dropped):
    waiting, jobs = Waiting(sum(sizes)), [job(n) for n in sizes]
    for one in jobs:
        waiting.put(one)
    given: list = waiting.take(most)
    forgotten = 0
    for place, one in enumerate(jobs):
        if place in dropped:
            forgotten += waiting.drop(one)
    while waiting.rows:
        batch = waiting.take(most)
        assert 1 <= len(batch) <= most
        given += batch
    assert len(given) == len(set(map(lambda pair: (id(pair[0]), pair[1]), given)))
    assert len(given) + forgotten == sum(sizes)
    for place, one in enumerate(jobs):
        own = [at for other, at in given if other is one]
        assert own == list(range(len(own)))
        assert place in dropped or len(own) == sizes[place]
