"""What was computed once is kept: in memory within a bound, on disk whole or not at all."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from promptkit.backends.feature_cache import FeatureCache, features_home, text_key
from promptkit.backends.feature_shards import Shards, Stored
from promptkit.errors import StoreError
from promptkit.types import Piece


def key(number):
    return text_key((Piece(f"text {number}", True),))


def stored(number, shape=(3, 4)):
    return Stored(np.full(shape, number, np.float32), number, number + 1)


def rows(*numbers):
    return {key(number): stored(number) for number in numbers}


def same(found, *numbers):
    assert set(found) == {key(number) for number in numbers}
    for number in numbers:
        own = found[key(number)]
        assert np.array_equal(own.states, stored(number).states)
        assert (own.cut, own.tokens) == (number, number + 1)


def test_a_text_is_named_by_its_characters_and_who_wrote_them():
    texts = [
        (Piece("ab", True),),
        (Piece("ab"),),
        (Piece("a", True), Piece("b", True)),
        (Piece("a", True), Piece("b")),
        (Piece("", True), Piece("ab", True)),
        (),
        (Piece("\ud800", True),),
    ]
    assert len({text_key(text) for text in texts}) == len(texts)
    assert text_key(texts[0]) == text_key((Piece("ab", True),))


def test_rows_come_back_as_they_went_in(tmp_path):
    FeatureCache(tmp_path, "m").put("mean", rows(*range(50)))
    again = FeatureCache(tmp_path, "m")
    same(again.get("mean", [key(n) for n in (49, 3, 4, 0, 77)]), 49, 3, 4, 0)
    assert again.get("cls", [key(3)]) == {}
    assert FeatureCache(tmp_path, "other").get("mean", [key(3)]) == {}


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cache = FeatureCache(None, "m")
    cache.put("mean", rows(1, 2))
    same(cache.get("mean", [key(1), key(5)]), 1)
    assert list(tmp_path.iterdir()) == []


def test_memory_is_bounded_and_what_was_used_last_stays():
    size = stored(0).states.nbytes
    cache = FeatureCache(None, "m", remembered=3 * size)
    cache.put("mean", rows(1, 2, 3))
    cache.get("mean", [key(1)])
    cache.put("mean", rows(4, 5))
    same(cache.get("mean", [key(n) for n in range(1, 6)]), 1, 4, 5)
    cache.put("mean", rows(4))
    same(cache.get("mean", [key(n) for n in range(1, 6)]), 1, 4, 5)


def test_the_disk_answers_for_what_memory_let_go(tmp_path):
    cache = FeatureCache(tmp_path, "m", remembered=0)
    cache.put("mean", rows(1, 2))
    same(cache.get("mean", [key(1), key(2)]), 1, 2)


def test_another_processs_rows_are_found(tmp_path):
    mine, theirs = Shards(tmp_path), Shards(tmp_path)
    assert mine.get([key(1)]) == {}
    theirs.put(list(rows(1)), list(rows(1).values()))
    same(mine.get([key(1)]), 1)


def test_a_broken_file_counts_as_absent_and_is_written_anew(tmp_path):
    Shards(tmp_path).put(list(rows(1, 2)), list(rows(1, 2).values()))
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for broken in (b"", whole[:40], whole[:-8]):
        file.write_bytes(broken)
        shards = Shards(tmp_path)
        assert shards.get([key(1)]) == {}
        shards.put(list(rows(1, 2)), list(rows(1, 2).values()))
        same(Shards(tmp_path).get([key(1)]), 1)


def test_a_file_that_goes_away_while_it_is_known_counts_as_absent(tmp_path):
    shards = Shards(tmp_path)
    shards.put(list(rows(1)), list(rows(1).values()))
    for file in tmp_path.iterdir():
        file.unlink()
    assert shards.get([key(1)]) == {}
    shards.put(list(rows(1)), list(rows(1).values()))
    same(shards.get([key(1)]), 1)


def test_half_written_files_are_not_read_and_old_ones_are_removed(tmp_path):
    old, new = tmp_path / "a.1-2.part", tmp_path / "b.1-2.part"
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    assert Shards(tmp_path).get([key(1)]) == {}
    assert not old.exists()
    assert new.exists()


WRITER = """
import sys
from pathlib import Path
import numpy as np
from promptkit.backends.feature_cache import FeatureCache, text_key
from promptkit.backends.feature_shards import Stored
from promptkit.types import Piece
cache = FeatureCache(Path(sys.argv[1]), "m")
for start in range(0, 200, 10):
    cache.put("mean", {text_key((Piece(f"text {n}", True),)): Stored(
        np.full((3, 4), n, np.float32), n, n + 1) for n in range(start, start + 10)})
"""


def test_two_processes_may_write_the_same_rows_at_once(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    running = [subprocess.Popen(command, env=environment) for _ in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    same(FeatureCache(tmp_path, "m").get("mean", [key(n) for n in range(200)]), *range(200))
    assert len(list((tmp_path / "m-mean").iterdir())) == 20


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "m-mean").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="PROMPTKIT_HOME"):
        FeatureCache(tmp_path, "m").put("mean", rows(1))


def test_features_lie_below_the_same_folder_as_runs(monkeypatch, tmp_path):
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    assert features_home() == tmp_path / "features"
    monkeypatch.delenv("PROMPTKIT_HOME")
    assert str(features_home()) == os.path.join(".promptkit", "features")
