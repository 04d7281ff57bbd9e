"""Answers stay what they were, whoever writes beside, and whatever happens to the file."""

import sqlite3
import subprocess
import sys
import threading

import pytest

from promptkit.backends import response_store
from promptkit.backends.response_store import FILE, Responses, Served, responses_home
from promptkit.errors import StoreError

LLAMA = Served(b"one", "llama", "hf", "{}")
QWEN = Served(b"two", "qwen", "vllm", "{}")


@pytest.fixture
def said():
    return []


@pytest.fixture
def kept(tmp_path, said):
    made = Responses(tmp_path, said.append)
    yield made
    made.close()


def answers(n, start=0):
    return {b"key %d" % i: b'{"log_p": [-%d.5]}' % i for i in range(start, start + n)}


def test_what_is_put_is_got(kept):
    kept.put(LLAMA, answers(3))
    assert kept.get([b"key 1", b"none", b"key 2"]) == {
        b"key 1": b'{"log_p": [-1.5]}', b"key 2": b'{"log_p": [-2.5]}',
    }  # fmt: skip


def test_another_process_would_get_it(kept, tmp_path, said):
    kept.put(LLAMA, answers(3))
    other = Responses(tmp_path, said.append)
    assert other.get([b"key 0"]) == {b"key 0": b'{"log_p": [-0.5]}'}
    other.close()


def test_a_second_answer_replaces_the_first(kept):
    kept.put(LLAMA, {b"key": b"old"})
    kept.put(LLAMA, {b"key": b"new"})
    assert kept.get([b"key"]) == {b"key": b"new"}
    assert [one.n for one in kept.held()] == [1]


def test_nothing_is_written_before_there_is_an_answer(kept, tmp_path):
    assert kept.get([b"key"]) == {}
    assert kept.held() == []
    assert kept.clear() == 0
    assert list(tmp_path.iterdir()) == []


def test_it_says_what_it_holds(kept, monkeypatch):
    monkeypatch.setattr(response_store.time, "time", lambda: 100.0)
    kept.put(LLAMA, answers(2))
    monkeypatch.setattr(response_store.time, "time", lambda: 200.0)
    kept.put(LLAMA, answers(1, start=2))
    kept.put(Served(b"three", "llama", "hf", "another dtype"), answers(1, start=3))
    kept.put(QWEN, answers(1, start=4))
    llama, qwen = kept.held()
    assert (llama.model, llama.backend, llama.n, llama.first, llama.last) == (
        "llama", "hf", 4, 100.0, 200.0,
    )  # fmt: skip
    assert llama.n_bytes == 4 * len(b'{"log_p": [-1.5]}')
    assert (qwen.model, qwen.n) == ("qwen", 1)
    assert kept.n_bytes > llama.n_bytes


def test_a_model_and_old_answers_can_be_cleared(kept, monkeypatch):
    day = 86400.0
    monkeypatch.setattr(response_store.time, "time", lambda: 10 * day)
    kept.put(LLAMA, answers(5))
    monkeypatch.setattr(response_store.time, "time", lambda: 20 * day)
    kept.put(LLAMA, answers(3, start=5))
    kept.put(QWEN, answers(2, start=8))
    with pytest.raises(StoreError, match="no answers of model 'lama'; did you mean 'llama'"):
        kept.clear("lama")
    assert kept.clear("qwen", older_than=1) == 0
    assert kept.clear(older_than=9) == 5
    assert kept.clear("llama") == 3
    assert [one.model for one in kept.held()] == ["qwen"]
    assert kept.clear() == 2
    assert kept.held() == []


def test_cleared_space_is_given_back(kept):
    kept.put(LLAMA, {b"key %d" % i: bytes(2000) for i in range(500)})
    before = kept.n_bytes
    kept.clear()
    assert kept.n_bytes < before / 10


@pytest.mark.parametrize("how", ["not sqlite", "empty tables", "cut", "page"])
def test_a_damaged_file_is_set_aside_and_a_new_one_begins(kept, tmp_path, said, how):
    file = tmp_path / FILE
    kept.put(LLAMA, answers(2000))
    kept.close()
    if how == "not sqlite":
        file.write_bytes(b"this is no database" * 1000)
    elif how == "empty tables":
        file.unlink()
        with sqlite3.connect(file) as other:
            other.execute("CREATE TABLE theirs (a)")
            other.execute("PRAGMA user_version = 1")
        other.close()
    elif how == "cut":
        file.write_bytes(file.read_bytes()[:20_000])
    else:
        content = bytearray(file.read_bytes())
        content[8192:] = b"\xff" * len(content[8192:])
        file.write_bytes(content)
    damaged = file.read_bytes()
    asked = list(answers(2000))
    assert kept.get(asked) == {}
    kept.put(LLAMA, answers(2))
    assert len(kept.get(asked)) == 2
    (told,) = said
    (aside,) = tmp_path.glob(f"{FILE}.damaged-*")
    assert aside.read_bytes()[4096:] == damaged[4096:]
    assert "is damaged" in told
    assert aside.name in told
    assert "\n" not in told


def test_an_answer_with_a_flipped_bit_is_never_given(kept, tmp_path, said):
    kept.put(LLAMA, {b"key": b'{"log_p": [-1.25]}'})
    kept.close()
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("UPDATE answers SET answer = ?", (b'{"log_p": [-1.75]}',))
    other.commit()
    other.close()
    assert kept.get([b"key"]) == {}
    assert "checksum" in said[0]


def test_a_file_that_another_process_replaced_is_not_set_aside_again(kept, tmp_path, said):
    kept.put(LLAMA, answers(10))
    other = Responses(tmp_path, said.append)
    assert len(other.get(list(answers(10)))) == 10
    (tmp_path / FILE).unlink()  # as if the other had found it damaged and begun anew
    kept.close()
    kept.put(LLAMA, answers(3))
    other._set_aside(Exception("what it has open is damaged"))
    assert other.get(list(answers(10))) == answers(3)
    assert said == []
    other.close()


def test_a_file_of_a_newer_promptkit_is_left_alone(kept, tmp_path, said):
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(StoreError, match="newer promptkit: --cache-folder DIR or PROMPTKIT_CACHE"):
        kept.get([b"key"])
    assert said == []


def test_a_full_disk_is_one_line_and_loses_nothing(kept):
    kept.put(LLAMA, answers(5))
    kept._open().execute("PRAGMA max_page_count = 6")
    with pytest.raises(StoreError, match=r"no space left on the disk.*--no-cache"):
        kept.put(LLAMA, {b"%d" % i: bytes(5000) for i in range(100)})
    assert kept.get(list(answers(5))) == answers(5)
    assert [one.n for one in kept.held()] == [5]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path, said):
    (tmp_path / "file").write_text("")
    kept = Responses(tmp_path / "file" / "cache", said.append)
    with pytest.raises(StoreError, match=r"cannot be written .*--cache-folder DIR"):
        kept.put(LLAMA, answers(1))


def test_a_network_file_system_is_refused_with_the_option_that_moves_it(tmp_path, monkeypatch):
    monkeypatch.setattr(response_store, "network_file_system", lambda folder: "nfs4")
    with pytest.raises(StoreError, match=r"\(nfs4\).*--cache-folder DIR or PROMPTKIT_CACHE"):
        Responses(tmp_path, print)


def test_it_lies_below_home_or_where_its_own_variable_says(monkeypatch, tmp_path):
    for name in ("PROMPTKIT_HOME", "PROMPTKIT_CACHE"):
        monkeypatch.delenv(name, raising=False)
    assert str(responses_home()) == ".promptkit/cache"
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    assert responses_home() == tmp_path / "cache"
    monkeypatch.setenv("PROMPTKIT_CACHE", "/scratch/answers")
    assert str(responses_home()) == "/scratch/answers"


WRITER = """
import sys
from pathlib import Path
from promptkit.backends.response_store import Responses, Served
who = sys.argv[1].encode()
kept = Responses(Path("."), lambda said: sys.exit(said))
for chunk in range(40):
    kept.put(Served(who, sys.argv[1], "hf", "{}"),
             {b"%s %d %d" % (who, chunk, i): who * 50 for i in range(16)})
    kept.put(Served(b"both", "both", "hf", "{}"), {b"same %d" % chunk: b"x" * 50})
    assert len(kept.get([b"%s %d %d" % (who, chunk, i) for i in range(16)])) == 16
"""


def test_processes_that_write_at_once_lose_nothing(kept, tmp_path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, name],
            cwd=tmp_path, env={"PYTHONPATH": ":".join(filter(None, sys.path))},
        )
        for name in ("first", "second", "third")
    ]  # fmt: skip
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0]
    assert {one.model: one.n for one in kept.held()} == {
        "first": 640, "second": 640, "third": 640, "both": 40,
    }  # fmt: skip
    assert kept.get([b"second 39 15"]) == {b"second 39 15": b"second" * 50}
    assert not list(tmp_path.glob("*damaged*"))


def test_a_writer_that_is_killed_leaves_whole_answers(kept, tmp_path):
    code = WRITER.replace("range(40)", "range(100000)")
    writer = subprocess.Popen(
        [sys.executable, "-c", code, "first"],
        cwd=tmp_path, env={"PYTHONPATH": ":".join(filter(None, sys.path))},
    )  # fmt: skip
    while not kept.held():
        assert writer.poll() is None
    writer.kill()
    writer.wait()
    found = {one.model: one.n for one in kept.held()}
    assert found["first"] % 16 == 0
    keys = [b"first %d %d" % (i // 16, i % 16) for i in range(found["first"])]
    assert set(kept.get(keys).values()) == {b"first" * 50}
    kept.put(LLAMA, answers(1))


def test_threads_may_share_it(kept):
    def write(start):
        for i in range(20):
            kept.put(LLAMA, answers(1, start=start + i))

    threads = [threading.Thread(target=write, args=(100 * i,)) for i in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [one.n for one in kept.held()] == [80]
