"""Readers and workers, called as Ray calls them, in this process."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from promptkit.data.row_stream import RowBatch, row_stream
from promptkit.data.row_writers import ending_of
from promptkit.errors import BackendError, DataError, SpecError, StoreError
from promptkit.runs.answers import AnswerColumns
from promptkit.runs.on_ray.blocks import MOST_TRIES, Blocks
from promptkit.runs.on_ray.parcels import (
    ARROW,
    DONE,
    END,
    ERROR,
    JSON,
    error_in,
    error_parcel,
    opened,
    packed,
    unpacked,
)
from promptkit.runs.on_ray.pieces import Cut
from promptkit.runs.on_ray.worker import TOKEN, Reader, Task, Worker

LABELS = ("negative", "neutral", "positive")
WHOLE = pa.Table.from_pylist([{"way": "all", "first": 0, "start": 0, "stop": 0, "before": 0}])


@pytest.fixture
def task(home):
    """A job on five rows in blocks of two, asked of a backend without a model."""
    (home / "rows.csv").write_text("text\ngood\nbad\n \nfine\npoor\n")
    partial = home / "out.csv.partial"
    partial.mkdir()
    Blocks(partial).begin()
    (partial / TOKEN).write_text("token")
    asked = json.dumps({"template": "sentiment_zero_shot", "backend": "fake"})
    answers = AnswerColumns(LABELS, LABELS)
    return Task(
        cut=Cut("rows.csv", 2, 1), asked=asked, answers=answers, columns={"text": "text"},
        names=("text", *answers.added), came=".csv", goes=ending_of("out.csv"), schema=b"",
        here=str(home), partial=str(partial), token="token", patience=2,
    )  # fmt: skip


def read(task, finished=None, pieces=WHOLE):
    return [one for table in Reader(task, finished or {})(pieces) for one in opened(table)]


def answered(worker, task, finished=None):
    return [one for table in Reader(task, finished or {})(WHOLE)
            for told in worker(table) for one in opened(told)]  # fmt: skip


def bodies(task):
    blocks = Blocks(Path(task.partial))
    found = {}
    for number in blocks.begin():
        head, file = blocks.open(number)
        with file:
            found[number] = head, file.read()
    return found


def test_blocks_are_read_answered_and_kept(task):
    told = answered(Worker(task), task)
    assert [(number, form) for number, form, _ in told] == [
        (0, DONE), (1, DONE), (2, DONE), (3, END)]  # fmt: skip
    said = [json.loads(content) for _, form, content in told if form == DONE]
    assert [one["rows"] for one in said] == [2, 2, 1]
    assert said[1]["problems"] == {"'text' is empty": 1}
    found = bodies(task)
    assert [head.rows for head, _ in found.values()] == [2, 2, 1]
    text = b"".join(found[number][1] for number in range(3)).decode()
    assert [line.split(",")[0] for line in text.splitlines()] == [
        "good", "bad", " ", "fine", "poor"]  # fmt: skip
    assert text.splitlines()[2] == " ,,'text' is empty"


def test_finished_blocks_are_not_answered_again_and_must_be_the_same_rows(task, home):
    worker = Worker(task)
    answered(worker, task)
    digests = {number: head.digest for number, (head, _) in bodies(task).items()}
    assert [form for _, form, _ in answered(worker, task, digests)] == [END]
    (home / "rows.csv").write_text("text\ngood\nbad\n \nchanged\npoor\n")
    (number, form, content) = answered(worker, task, digests)[-1]
    assert (number, form) == (1, ERROR)
    assert isinstance(error_in(content), StoreError)
    assert "rows after the first 2 were answered before" in str(error_in(content))


def test_a_row_that_cannot_be_read_ends_its_piece_with_the_reason(task, home):
    (home / "rows.csv").write_text("text\ngood\nbad\nfine,poor\n")
    told = answered(Worker(task), task)
    assert [form for _, form, _ in told] == [DONE, ERROR]
    assert isinstance(error_in(told[-1][2]), DataError)
    assert "rows.csv line 4: 2 columns where the header has 1" in str(error_in(told[-1][2]))


def test_a_block_that_ends_its_workers_is_named(task):
    for _ in range(MOST_TRIES):
        Blocks(Path(task.partial)).tried(1)
    told = answered(Worker(task), task)
    assert [form for _, form, _ in told] == [DONE, ERROR, DONE, END]
    error = error_in(told[1][2])
    assert isinstance(error, BackendError)
    assert "block 1 (rows 3 to 4) ended its worker 3 times" in str(error)
    assert sorted(bodies(task)) == [0, 2]


def test_a_block_begun_again_says_so(task):
    Blocks(Path(task.partial)).tried(1)
    answered(Worker(task), task)
    assert {number: head.tries for number, (head, _) in bodies(task).items()} == {0: 1, 1: 2, 2: 1}


def test_workers_that_die_while_loading_are_not_begun_for_ever(task):
    blocks = Blocks(Path(task.partial))
    for _ in range(task.patience):
        blocks.loading()
    error = error_in(answered(Worker(task), task)[0][2])
    assert "die again and again while they load the model" in str(error)


@pytest.mark.parametrize("seen", [None, "another"])
def test_a_machine_that_does_not_see_the_folder_says_so(task, home, seen):
    note = home / "out.csv.partial" / TOKEN
    note.unlink() if seen is None else note.write_text(seen)
    for told in (read(task), [one for table in Worker(task)(packed(0, [RowBatch(({},), ())], "x"))
                              for one in opened(table)]):  # fmt: skip
        error = error_in(told[0][2])
        assert isinstance(error, StoreError)
        assert "several machines need one file system that all see" in str(error)


def test_a_worker_without_its_model_says_why_with_the_first_block(task):
    asked = json.dumps({"template": "sentiment_zero_shot", "model": "nowhere/at-all"})
    worker = Worker(Task(**{**vars(task), "asked": asked}))
    (told, *_) = answered(worker, task)
    assert told[1] == ERROR
    assert "nowhere/at-all" in str(error_in(told[2]))


def test_rows_travel_as_they_are(home):
    rows = ({"a": 1, "b": [None, {"c": "\ud83d"}], "big": 10**30, "x": 1e-300},)
    ((_, form, content),) = opened(packed(5, [RowBatch(rows, (1,))], "rows.jsonl"))
    assert form == JSON
    assert unpacked(form, content)[0].rows == rows
    table = pa.table({"d": pa.array(["a", "b", "a"]).dictionary_encode(), "n": [1, 2, 3]})
    parquet.write_table(table, "rows.parquet")
    batches = list(row_stream("rows.parquet", 2).batches)
    ((number, form, content),) = opened(packed(6, batches, "rows.parquet"))
    assert (number, form) == (6, ARROW)
    for own, other in zip(unpacked(form, content), batches, strict=True):
        assert own.rows == other.rows
        assert own.arrow.equals(other.arrow)


def test_values_that_cannot_travel_are_told():
    batch = RowBatch(({"raw": b"\0"},), (1,))
    with pytest.raises(DataError, match="--engine ray cannot carry its values"):
        packed(0, [batch], "parts/*.parquet")


def test_errors_keep_their_kind_and_their_words():
    for error in (SpecError("a: b"), BackendError("a", hint="b"), StoreError("é")):
        ((_, form, content),) = opened(error_parcel(1, error))
        assert form == ERROR
        assert type(error_in(content)) is type(error)
        assert str(error_in(content)) == str(error)


def test_readers_go_to_the_folder_of_the_command(task, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert [form for _, form, _ in read(task)] == [JSON] * 3 + [END]
    assert os.getcwd() == task.here
