"""Who works on a comparison: claims, signs of life, and what a killed worker leaves."""

import json
import os
import subprocess
import sys
from threading import Thread

import pytest

from promptkit.runs.compare.workers import GONE, Workers


@pytest.fixture
def two(tmp_path):
    first, second = Workers(tmp_path), Workers(tmp_path)
    with first.present(), second.present():
        yield first, second


def test_a_cell_is_claimed_by_one_alone(two):
    first, second = two
    assert first.claim("a/all/0")
    assert not second.claim("a/all/0")
    assert not first.claim("a/all/0")
    assert second.claim("a/all/1")


def test_a_worker_that_left_leaves_its_cells(tmp_path):
    first, second = Workers(tmp_path), Workers(tmp_path)
    with second.present():
        with first.present():
            assert first.claim("a")
            assert second.others() == [first.me]
        assert second.others() == []
        assert second.claim("a")
        assert not second.claim("a")


def test_a_killed_process_of_this_machine_is_gone_at_once(tmp_path):
    script = """
import os, sys
from pathlib import Path
from promptkit.runs.compare.workers import Workers
workers = Workers(Path(sys.argv[1]))
with workers.present():
    assert workers.claim("a")
    os._exit(9)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    (left,) = (tmp_path / "workers").glob("*.json")
    mine = Workers(tmp_path)
    with mine.present():
        assert left.is_file()
        assert mine.others() == []
        assert mine.claim("a")


def test_another_machines_worker_is_gone_when_it_shows_no_sign_of_life(two):
    first, second = two
    file = first._mine
    file.write_text(json.dumps({"host": "elsewhere", "pid": 1, "started": "1"}))
    assert first.claim("a")
    assert second.others() == [first.me]
    old = second._mine.stat().st_mtime - GONE - 1
    os.utime(file, (old, old))
    assert second.others() == []
    assert second.claim("a")


def test_a_process_with_the_number_of_one_that_ended_is_another_one(two):
    first, second = two
    told = json.loads(first._mine.read_text())
    first._mine.write_text(json.dumps(told | {"started": "long ago"}))
    assert second.others() == []


def test_a_claim_without_a_name_is_waited_for_and_then_followed(two):
    first, second = two
    assert first.claim("a")
    (claim,) = (first._claims).glob("*")
    claim.write_text("")  # killed between creating it and saying who it was
    assert not second.claim("a")
    old = second._mine.stat().st_mtime - GONE - 1
    os.utime(claim, (old, old))
    assert second.claim("a")


def test_of_many_who_ask_at_once_one_gets_the_cell(tmp_path):
    workers = [Workers(tmp_path) for _ in range(8)]
    got = []

    def ask(own):
        got.extend(own.me for cell in range(20) if own.claim(str(cell)))

    with workers[0].present():
        for own in workers[1:]:
            own._mine.write_text(workers[0]._mine.read_text())
        threads = [Thread(target=ask, args=(own,)) for own in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(got) == 20
