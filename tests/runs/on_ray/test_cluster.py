"""How many workers there is room for, and what is said where there is none."""

import socket
import sys
import time
from types import SimpleNamespace

import pytest

from promptkit.errors import BackendError, MissingExtra, SpecError
from promptkit.runs.on_ray.cluster import Pool, Wanted, joined, pool_of, waited_for

TWO = [{"CPU": 2.0}]


@pytest.mark.parametrize(
    ("wanted", "nodes", "pool"),
    [
        (Wanted(), TWO, Pool(2, 0.66, 0)),
        (Wanted(workers=2), TWO, Pool(2, 0.66, 0)),
        (Wanted(workers=1), TWO, Pool(1, 1.0, 0)),
        (Wanted(workers=2, cpus=1.0), TWO, Pool(2, 1.0, 0)),
        (Wanted(cpus=0.5), TWO, Pool(4, 0.5, 0)),
        (Wanted(), [{"CPU": 1.0}], Pool(1, 0.5, 0)),
        (Wanted(), [{"CPU": 8.0, "GPU": 2.0}], Pool(2, 1.0, 1)),
        (Wanted(on_gpu=False), [{"CPU": 2.0, "GPU": 2.0}], Pool(2, 0.66, 0)),
        (Wanted(gpus=0.5), [{"CPU": 8.0, "GPU": 1.0}], Pool(2, 1.0, 0.5)),
        (Wanted(), [{"CPU": 4.0}, {"CPU": 4.0}], Pool(8, 0.8, 0)),
        (Wanted(workers=2, gpus=4.0), [{"CPU": 4.0, "GPU": 4.0}] * 2, Pool(2, 1.0, 4)),
    ],
)
def test_workers_fit_and_leave_room_for_one_that_replaces_another(wanted, nodes, pool):
    assert pool_of(wanted, nodes) == pool


@pytest.mark.parametrize(
    ("wanted", "nodes"),
    [
        (Wanted(cpus=8.0), TWO),
        (Wanted(workers=3, cpus=1.0), TWO),
        (Wanted(gpus=1.0), TWO),
        (Wanted(cpus=3.0), [{"CPU": 2.0}, {"CPU": 2.0}]),  # no worker is on two machines
        (Wanted(workers=300), TWO),
        (Wanted(), []),
    ],
)
def test_no_room_is_one_line_that_says_what_there_is(wanted, nodes):
    with pytest.raises(SpecError, match=r"no room for .* have room for \d+; lower --workers"):
        pool_of(wanted, nodes)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(workers=0), "--workers 0"),
        (Wanted(cpus=0.0), "--cpus-per-worker 0"),
        (Wanted(cpus=float("nan")), "--cpus-per-worker nan"),
        (Wanted(gpus=-1.0), "--gpus-per-worker -1"),
        (Wanted(gpus=1.5), "must be whole"),
        (Wanted(address="ray://there:10001"), "begins on a machine of the cluster"),
        (Wanted(address="there"), "write auto, or host:6379"),
        (Wanted(address=":6379"), "write auto, or host:6379"),
    ],
)
def test_numbers_that_cannot_be_meant_are_refused(wanted, said):
    with pytest.raises(SpecError, match=said):
        wanted.check()


def test_without_ray_the_command_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"pip install 'promptkit\[ray\]'"), joined(Wanted()):
        pass


def test_an_address_where_nobody_is_is_one_line_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"  # and nobody listens
        with pytest.raises(BackendError, match=f"Ray cannot be had --address {address} .*refused"):
            joined(Wanted(address=address)).__enter__()


def test_a_long_silence_is_told_with_what_is_free(monkeypatch):
    ray = SimpleNamespace(available_resources=lambda: {"CPU": 1.5})
    monkeypatch.setitem(sys.modules, "ray", ray)
    said = []
    with waited_for(Pool(2, 2.0, 1.0), said.append, seconds=0.05) as heard:
        heard()
        began = time.monotonic()
        while not said and time.monotonic() - began < 5:
            time.sleep(0.01)
    assert "a worker takes 2 CPU and 1 GPU, and 1.5 CPU and 0 GPU are free" in said[0]
