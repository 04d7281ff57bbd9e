"""Nothing finished is lost, and a resumed run holds the same numbers as a whole one."""

import errno
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from promptkit.errors import Interrupted, StoreError
from promptkit.runs import EvalSpec, Store, build, run, runner
from promptkit.runs.files import append_text, read_json, whole_lines
from promptkit.runs.record import from_json, to_json
from promptkit.runs.trial import chunk_for


def trial(**options):
    return build(EvalSpec(template="sentiment_zero_shot", backend="fake", **options))


def folder_of(store, one):
    return store.run(one.spec).folder


def test_the_same_spec_again_is_answered_from_the_store_without_the_model(home, monkeypatch):
    store = Store()
    first = run(trial(), store)
    monkeypatch.setattr("promptkit.backends.fake.FakeBackend.score", None)
    again = run(trial(), store)
    assert again.from_store
    assert not first.from_store
    assert (again.predictions, again.report, again.cost) == (
        first.predictions, first.report, first.cost,
    )  # fmt: skip


def test_fresh_computes_anew(home):
    run(trial(), Store())
    assert not run(trial(), Store(), fresh=True).from_store


@pytest.mark.parametrize("after", [0, 64, 128])
def test_an_interrupted_run_goes_on_where_it_stopped(home, monkeypatch, after):
    whole = run(trial(), None)
    score = runner._chunks

    def stopping(*args, **kwargs):
        for found, cost in score(*args, **kwargs):
            if stopping.left == 0:
                raise KeyboardInterrupt
            stopping.left -= 1
            yield found, cost

    stopping.left = after // 64
    monkeypatch.setattr(runner, "_chunks", stopping)
    with pytest.raises(Interrupted, match=f"{after} of 240 rows are stored"):
        run(trial(), Store())
    monkeypatch.undo()
    monkeypatch.chdir(home)
    seen = []
    resumed = run(trial(), Store(), on_progress=lambda done, total: seen.append(done))
    assert seen[0] == after
    assert resumed.predictions == whole.predictions
    assert resumed.cost.rows == 240


@pytest.mark.parametrize("cut", [1, 40, 5000])
def test_a_torn_file_is_cut_back_to_its_last_whole_chunk(home, cut):
    store, one = Store(), trial()
    whole = run(one, store)
    folder = folder_of(store, one)
    (folder / "record.json").unlink()
    file = folder / "evidence.jsonl"
    file.write_bytes(file.read_bytes()[:-cut])
    seen = []
    resumed = run(trial(), store, on_progress=lambda done, total: seen.append(done))
    assert seen[0] % 64 == 0
    assert seen[0] < 240
    assert resumed.predictions == whole.predictions
    assert len(file.read_text().splitlines()) == 240


def test_a_killed_process_loses_no_finished_chunk(home):
    code = (
        "import time\n"
        "from promptkit.backends.fake import FakeBackend\n"
        "from promptkit.runs import EvalSpec, Store, build, run\n"
        "score = FakeBackend.score\n"
        "def slow(self, *args):\n"
        "    time.sleep(0.3)\n"
        "    return score(self, *args)\n"
        "FakeBackend.score = slow\n"
        "run(build(EvalSpec(template='sentiment_zero_shot', backend='fake')), Store())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=home)
    store, one = Store(), trial()
    file = folder_of(store, one) / "evidence.jsonl"
    for _ in range(400):
        if file.is_file() and file.stat().st_size:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    seen = []
    resumed = run(one, store, on_progress=lambda done, total: seen.append(done))
    assert seen[0] >= 64
    assert resumed.predictions == run(trial(), None).predictions


def test_a_second_process_on_the_same_run_is_refused(home):
    store, one = Store(), trial()
    with store.run(one.spec).writing():
        with pytest.raises(StoreError, match="another process is writing this run"):
            run(trial(), store)


def test_no_space_left_is_one_line_and_keeps_what_was_stored(home, monkeypatch):
    store = Store()
    real = os.fsync

    def full(descriptor):
        full.calls += 1
        if full.calls > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    full.calls = 0
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="no space left on the disk; the rows stored so far"):
        run(trial(), store)
    monkeypatch.setattr(os, "fsync", real)
    seen = []
    run(trial(), store, on_progress=lambda done, total: seen.append(done))
    assert seen[0] >= 64


def test_a_folder_that_cannot_be_written_is_one_line(home):
    (home / "file").write_text("")
    with pytest.raises(StoreError, match="set PROMPTKIT_HOME"):
        run(trial(), Store(home / "file"))


def test_evidence_of_other_rows_is_refused(home):
    store, one = Store(), trial()
    run(one, store)
    file = folder_of(store, one) / "evidence.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([lines[1], lines[0], *lines[2:]]))
    with pytest.raises(StoreError, match="--fresh"):
        run(trial(), store)


def test_a_record_can_be_shown_again_without_its_data(home):
    store, one = Store(), trial()
    record = run(one, store)
    shown = from_json(read_json(folder_of(store, one) / "record.json"))
    assert shown.from_store
    assert shown.predictions == record.predictions
    assert shown.report == record.report
    assert json.dumps(to_json(shown)) == json.dumps(to_json(record))


def test_a_run_is_found_by_the_beginning_of_its_fingerprint(home):
    store, one = Store(), trial()
    run(one, store)
    name = one.spec.fingerprint()
    assert store.find(name[:6]).name == name
    with pytest.raises(StoreError, match="promptkit runs list"):
        store.find("zz")


def test_a_cost_without_its_rows_is_cut_off_and_half_a_line_too(home):
    store, one = Store(), trial()
    run(one, store)
    folder = folder_of(store, one)
    (folder / "record.json").unlink()
    evidence, costs = folder / "evidence.jsonl", folder / "costs.jsonl"
    lines = evidence.read_text().splitlines(keepends=True)
    evidence.write_text("".join(lines[:64]))
    spent = costs.read_text().splitlines(keepends=True)
    costs.write_text("".join(spent[:2]) + spent[2][:20])
    resumed = run(trial(), store)
    assert resumed.cost.rows == 240
    assert resumed.cost.prompt_tokens == run(trial(), None).cost.prompt_tokens


def test_costs_of_an_older_promptkit_still_count(home):
    store, one = Store(), trial()
    run(one, store)
    folder = folder_of(store, one)
    (folder / "record.json").unlink()
    evidence, costs = folder / "evidence.jsonl", folder / "costs.jsonl"
    evidence.write_text("".join(evidence.read_text().splitlines(keepends=True)[:128]))
    old = [json.loads(line) for line in costs.read_text().splitlines()[:2]]
    for line in old:
        del line["rows_in_all"], line["cached_rows"]
    costs.write_text("".join(json.dumps(line) + "\n" for line in old))
    assert run(trial(), store).cost.rows == 240


@pytest.mark.parametrize("size", [1, 70_000, 200_000])
def test_half_a_line_is_cut_off_before_lines_are_added(tmp_path, size):
    file = tmp_path / "lines"
    file.write_text('{"a": 1}\n' + "x" * size)
    append_text(file, '{"b": 2}\n')
    assert list(whole_lines(file)) == [{"a": 1}, {"b": 2}]
    file.write_text("y" * size)
    append_text(file, '{"c": 3}\n')
    assert list(whole_lines(file)) == [{"c": 3}]


def test_a_gpu_takes_more_rows_at_once(monkeypatch):
    import torch

    from promptkit.backends import torch_device

    assert chunk_for("cpu", True) == chunk_for("auto", False) == 64
    monkeypatch.setattr(torch_device, "choose_device", lambda device: torch.device("cuda"))
    assert chunk_for("auto", True) == 512
    assert chunk_for("auto", False) == 64
