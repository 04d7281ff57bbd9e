"""A run that is killed at any moment goes on, asks no finished row again, and says the same."""

import csv
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "tests" / "watched_run.py"
ROWS, CHUNK = 400, 64


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """400 rows in a file."""
    file = tmp_path_factory.mktemp("rows") / "rows.csv"
    draw = random.Random(0)
    words = "the room was quiet and clean but staff never answered my question about dinner".split()
    with file.open("w", newline="") as opened:
        out = csv.writer(opened)
        out.writerow(["id", "text", "label"])
        for number in range(ROWS):
            label = draw.choice(["negative", "neutral", "positive"])
            out.writerow(
                [f"r{number}", " ".join(draw.choices(words, k=draw.randint(3, 25))), label]
            )
    return file


class Home:
    """An empty folder, and runs in it."""

    def __init__(self, folder, rows, *options, **environment):
        folder.mkdir(exist_ok=True)
        self.folder, self.asked = folder, folder / "asked.txt"
        self.command = [
            sys.executable, str(PROGRAM), "eval", "-t", "sentiment_zero_shot", "--data", str(rows),
            "--predictions", "predictions.csv", *options,
        ]  # fmt: skip
        if "--backend" not in options:
            self.command += ["--backend", "fake"]
        path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
        keep = {k: v for k, v in os.environ.items() if not k.startswith("PROMPTKIT")}
        self.environment = keep | {"PYTHONPATH": path, "ASKED": str(self.asked)} | environment

    def start(self, limit=None, **environment):
        return subprocess.Popen(
            self.command, cwd=self.folder, env=self.environment | environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limit,
        )  # fmt: skip

    def kill_after(self, seconds):
        """Whether it was killed before it ended by itself."""
        process = self.start()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        return process.returncode == -signal.SIGKILL

    def finish(self, **environment):
        """Run to the end; what it printed."""
        process = self.start(**environment)
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        return out

    def predictions(self):
        return (self.folder / "predictions.csv").read_text()

    def times_asked(self):
        return Counter(self.asked.read_text().split())

    def record(self):
        (file,) = self.folder.glob(".promptkit/runs/*/record.json")
        return json.loads(file.read_text())


def assert_whole(home, undisturbed, kills):
    """It ended as the undisturbed run did, and asked a chunk for each kill again at most."""
    assert home.predictions() == undisturbed.predictions()
    asked = home.times_asked()
    assert len(asked) == ROWS
    assert asked.total() <= ROWS + CHUNK * kills
    assert max(asked.values()) <= 1 + kills
    record, other = home.record(), undisturbed.record()
    assert record["report"] == other["report"]
    assert record["predictions"] == other["predictions"]
    cost = record["cost"]
    assert cost["rows"] + cost["cached_rows"] == ROWS


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, rows):
    home = Home(tmp_path_factory.mktemp("undisturbed"), rows)
    home.finish()
    assert set(home.times_asked().values()) == {1}
    return home


#: spec.json, cost and evidence of seven chunks, record.json.
WRITES = 1 + 1 + 2 * 7 + 1


@pytest.mark.parametrize("half", [False, True], ids=["after", "half way"])
@pytest.mark.parametrize("moment", [3, 4, WRITES])
def test_a_run_killed_at_a_write_goes_on(tmp_path, rows, undisturbed, moment, half):
    home = Home(tmp_path / "home", rows)
    dying = {"DIES_AT": str(moment)} | ({"DIES_HALF": "1"} if half else {})
    process = home.start(**dying)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    home.finish()
    assert_whole(home, undisturbed, kills=1)


@pytest.mark.slow
@pytest.mark.parametrize("half", [False, True], ids=["after", "half way"])
def test_a_run_killed_at_any_write_goes_on(tmp_path, rows, undisturbed, half):
    for moment in range(1, WRITES + 1):
        home = Home(tmp_path / str(moment), rows)
        process = home.start(DIES_AT=str(moment), **({"DIES_HALF": "1"} if half else {}))
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        home.finish()
        assert_whole(home, undisturbed, kills=1)


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--cache",)], ids=["run alone", "with a cache"])
def test_a_run_killed_at_twenty_random_moments_goes_on_each_time(
    tmp_path, rows, undisturbed, options
):
    slow = {"SLOW": "0.003"}
    whole = Home(tmp_path / "whole", rows, *options, **slow)
    began = time.monotonic()
    whole.finish()
    took = time.monotonic() - began
    draw, killed = random.Random(20), 0
    for number in range(20):
        home = Home(tmp_path / str(number), rows, *options, **slow)
        killed += home.kill_after(draw.uniform(0.1, 1) * took)
        home.finish(SLOW="0")
        assert_whole(home, undisturbed, kills=1)
    assert killed >= 15  # the others had ended before their moment came


@pytest.mark.slow
def test_a_run_killed_twenty_times_ends_as_if_it_never_was(tmp_path, rows, undisturbed):
    home = Home(tmp_path / "home", rows, "--cache", SLOW="0.01")
    draw, kills = random.Random(5), 0
    for _ in range(20):
        if not home.kill_after(draw.uniform(0.3, 2.0)):
            break
        kills += 1
    assert kills >= 3
    home.finish(SLOW="0")
    assert_whole(home, undisturbed, kills)


@pytest.mark.slow
def test_a_run_of_a_model_is_killed_and_goes_on_to_the_last_digit(tmp_path, rows, causal_folder):
    options = "--backend", "hf", "--model", str(causal_folder("gpt2"))
    whole = Home(tmp_path / "whole", rows, *options, HF="1")
    began = time.monotonic()
    whole.finish()
    took = time.monotonic() - began
    draw = random.Random(3)
    for number in range(4):
        home = Home(tmp_path / str(number), rows, *options, HF="1")
        home.kill_after(draw.uniform(0.4, 1) * took)
        home.finish()
        assert_whole(home, whole, kills=1)


def test_rows_of_a_calibration_are_not_asked_again(tmp_path, rows):
    options = "--calibration", "batch", "--train-data", "customer_reviews"
    whole = Home(tmp_path / "whole", rows, *options)
    whole.finish()
    home = Home(tmp_path / "home", rows, *options)
    process = home.start(DIES_AT="4")  # spec, fit, cost and evidence of the first chunk
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    home.finish()
    assert home.predictions() == whole.predictions()
    assert home.times_asked() == whole.times_asked()
    assert whole.times_asked().total() > ROWS


def test_a_file_that_may_not_grow_is_one_line_and_the_run_goes_on_later(
    tmp_path, rows, undisturbed
):
    home = Home(tmp_path / "home", rows)

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

    process = home.start(small_files)
    out, err = process.communicate()
    assert (process.returncode, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    assert "what is stored so far is kept" in err
    before = home.times_asked().total()
    assert CHUNK < before < ROWS
    home.finish()
    assert_whole(home, undisturbed, kills=1)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 100 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", "size=100k", "tmpfs", str(place)]
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root mounts a disk")
    if subprocess.run(["mount", *options], capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_one_line_and_the_run_goes_on_where_there_is_space(
    tmp_path, rows, undisturbed, small_disk
):
    (small_disk / "ballast").write_bytes(bytes(70_000))
    home = Home(tmp_path / "home", rows)
    process = home.start(PROMPTKIT_HOME=str(small_disk))
    out, err = process.communicate()
    assert (process.returncode, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    assert "no space left on the disk; the rows stored so far are kept" in err
    (small_disk / "ballast").unlink()
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    home.finish(PROMPTKIT_HOME=str(small_disk))
    assert home.predictions() == undisturbed.predictions()
    assert ROWS <= home.times_asked().total() <= ROWS + CHUNK


def test_a_full_disk_for_the_cache_is_one_warning_and_the_run_ends(
    tmp_path, rows, undisturbed, small_disk
):
    home = Home(tmp_path / "home", rows, "--cache-folder", str(small_disk))
    process = home.start()
    _, err = process.communicate()
    assert process.returncode == 0
    assert "the run goes on, its answers are not kept for others" in " ".join(err.split())
    assert err.count("promptkit:") == 1
    assert_whole(home, undisturbed, kills=0)
