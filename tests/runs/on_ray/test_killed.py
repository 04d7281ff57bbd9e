"""A job on Ray whose workers or whose command are killed ends as one that was left alone."""

import os
import signal
import subprocess
import time

import pyarrow as pa
import pytest
from pyarrow import parquet

from promptkit.runs import EvalSpec
from promptkit.runs.answers import AnswerColumns
from promptkit.runs.predict import Job, predict_rows
from promptkit.runs.predictor import of_saved, predictor_of
from promptkit.runs.saved import load_model
from promptkit.runs.tune import tune
from tests.ray_job import LIMIT, RayJob

WORDS = "the room was quiet and clean but staff never answered my question about dinner".split()


def text_of(number):
    return " ".join(WORDS[(number * step) % len(WORDS)] for step in range(3 + number % 9))


def write_csv(folder, n):
    """Rows with a line end within quotes, empty ones, and ids, so that each can be told."""
    with (folder / "rows.csv").open("w") as file:
        file.write("id,text,note\n")
        for i in range(n):
            text = "" if i % 50 == 7 else text_of(i)
            file.write(f'{i},{text},"a ""note""\nof {i}"\n')


@pytest.fixture
def saved(home):
    """A folder with rows, a saved model, and what one process answers in batches of 16."""
    write_csv(home, 1500)
    tune(EvalSpec(strategy="tfidf", data="customer_reviews"), "model")
    alone(home, of_saved(load_model("model")), "alone.csv")
    return home


def alone(home, predictor, output, source="rows.csv", batch_rows=16):
    labels = predictor.template.task.labels
    answers = AnswerColumns(labels, tuple(map(str, labels)), proba=True)
    predict_rows(Job(predictor, answers, source, output, batch_rows=batch_rows))


@pytest.fixture
def start(home):
    """Begins jobs, and sees to it that nothing of them is left."""
    begun = []

    def start(*options, output="together.csv"):
        job = RayJob(home, "--output", output, "--workers", 2, "--batch-rows", 16, "--proba",
                     *options)  # fmt: skip
        begun.append(job)
        return job

    yield start
    for job in begun:
        if job.process.poll() is None:
            job.end()
        assert job.all_gone(), job.processes()


SAVED = ("--data", "rows.csv", "--model", "model")


def test_a_worker_killed_in_mid_job_changes_no_byte(saved, start):
    # each takes a whole processor: there must be room for the one that replaces it
    job = start(*SAVED, "--cpus-per-worker", 1)
    job.wait_for_blocks("together.csv", 3)
    job.kill_worker()
    status, out, err = job.finish()
    assert (status, out) == (0, ""), err
    assert err.startswith("1,500 rows in together.csv, 30 without an answer\n")
    assert (saved / "together.csv").read_bytes() == (saved / "alone.csv").read_bytes()
    assert not (saved / "together.csv.partial").exists()
    assert job.all_gone()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_command_killed_in_mid_job_goes_on_and_does_nothing_twice(saved, start, number):
    job = start(*SAVED)
    job.wait_for_blocks("together.csv", 10)
    job.process.send_signal(number)
    status, _, err = job.finish()
    assert job.all_gone(), job.processes()
    if number == signal.SIGINT:
        assert status == 2
        assert "interrupted: " in err
        assert "go on with: promptkit predict --engine ray" in err
        told = [line for line in err.splitlines() if not line.startswith("predict: ")]
        assert len(told) == 1  # beside how far it was
    before = job.blocks("together.csv")
    again = start(*SAVED)
    again.wait_for_blocks("together.csv", len(before) + 1)
    after = again.blocks("together.csv")
    assert {name: after[name] for name in before} == before
    status, _, err = again.finish()
    assert status == 0, err
    assert f"{16 * len(before):,} of them from before" in err
    assert (saved / "together.csv").read_bytes() == (saved / "alone.csv").read_bytes()


@pytest.mark.slow
def test_a_block_that_ends_every_worker_is_named(home, start):
    write_csv(home, 1500)
    asked = ("--data", "rows.csv", "-t", "sentiment_zero_shot", "--batch-rows", 1500)
    job, began, killed = start(*asked), time.monotonic(), 0
    note = home / "together.csv.partial" / "tries" / "0"
    while job.process.poll() is None and time.monotonic() - began < LIMIT:
        tries = len(note.read_bytes()) if note.exists() else 0
        if tries > killed:
            killed = tries
            for worker in job.workers():
                os.kill(worker, signal.SIGKILL)
        time.sleep(0.05)
    status, out, err = job.finish()
    assert (status, out) == (2, "")
    assert "(rows 1 to 1,500) ended its worker 3 times" in err.splitlines()[-1]
    assert "Traceback" not in err


@pytest.mark.slow
def test_a_model_that_computes_gives_the_same_digits(home, start):
    write_csv(home, 200)
    alone(home, predictor_of(EvalSpec(template="sentiment_zero_shot")), "alone.csv")
    job = start("--data", "rows.csv", "-t", "sentiment_zero_shot")
    job.wait_for_blocks("together.csv", 2)
    job.kill_worker()
    status, _, err = job.finish()
    assert status == 0, err
    assert (home / "together.csv").read_bytes() == (home / "alone.csv").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(("came", "goes"), [("jsonl", "jsonl.gz"), ("parquet", "parquet"),
                                            ("jsonl", "parquet"), ("csv", "tsv")])  # fmt: skip
def test_every_format_has_the_bytes_of_one_process(saved, start, came, goes):
    table = pa.table({"n": list(range(200)), "text": [text_of(i) for i in range(200)]})
    if came == "parquet":
        kinds = pa.array(["a", "b", "b", "c"] * 50).dictionary_encode()
        parquet.write_table(table.append_column("kind", kinds), "rows.parquet", row_group_size=70)
    elif came == "jsonl":
        import json

        rows = "".join(json.dumps(row) + "\n" for row in table.to_pylist())
        (saved / "rows.jsonl").write_text(rows)
    alone(saved, of_saved(load_model("model")), f"alone.{goes}", f"rows.{came}")
    job = start("--data", f"rows.{came}", "--model", "model", output=f"together.{goes}")
    assert job.finish()[0] == 0
    assert (saved / f"together.{goes}").read_bytes() == (saved / f"alone.{goes}").read_bytes()


@pytest.mark.slow
def test_what_is_begun_with_other_options_or_another_engine_is_not_gone_on_with(saved, start):
    job = start(*SAVED)
    job.wait_for_blocks("together.csv", 3)
    job.process.kill()
    job.finish()
    for options, said in (
        (("--batch-rows", 8), "was begun with --batch-rows 16"),
        (("--prefix", "my_"), "another model or other options"),
        (("--engine", "local"), "was begun with --engine ray"),
    ):
        other = subprocess.run(
            _command(job, options), cwd=saved, env=os.environ | {"PYTHONPATH": os.getcwd()},
            capture_output=True, text=True, timeout=LIMIT,
        )  # fmt: skip
        assert other.returncode == 2
        assert said in other.stderr
    with (saved / "rows.csv").open("r+") as file:
        file.write("id,text,note\n0,changed")
    again = start(*SAVED)
    status, _, err = again.finish()
    assert status == 2
    assert "rows after the first 0 were answered before" in err


def _command(job, options):
    """The same command with some options of its own."""
    taken = list(job.process.args)
    if "local" in options:
        place = taken.index("--workers")
        del taken[place : place + 2]
    return [*taken, *map(str, options)]
