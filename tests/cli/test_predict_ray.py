"""``promptkit predict --engine ray``: what is wrong is one line, before Ray is started."""

import json
import sys

import pytest


@pytest.fixture
def rows(home):
    (home / "rows.jsonl").write_text("".join(json.dumps({"text": f"row {i}"}) + "\n"
                                             for i in range(5)))  # fmt: skip
    return home


PREDICT = ("predict", "-t", "sentiment_zero_shot", "--backend", "fake", "--data", "rows.jsonl")
RAY = (*PREDICT, "--output", "out.jsonl", "--engine", "ray")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*RAY, "--data", "-"), "reads and writes files"),
        ((*RAY, "--output", "-"), "reads and writes files"),
        ((*RAY, "--engine", "rya"), "did you mean 'ray'"),
        ((*RAY, "--engine", "spark"), "known: local, ray"),
        ((*RAY, "--workers", "0"), "must be at least 1"),
        (
            (*RAY, "--workers", "5000", "--cpus-per-worker", "1"),
            "there is no room for 5000 workers",
        ),
        ((*RAY, "--address", "ray://there:10001"), "begins on a machine of the cluster"),
        ((*RAY, "--text-field", "txt"), "did you mean 'text'"),
        ((*RAY, "--data", "nowhere.jsonl"), "no such file"),
        ((*RAY, "--labels", "good,bad"), "no label 'good'"),
        ((*PREDICT, "--output", "out.csv", "--workers", "2"), "--workers is for --engine ray"),
        ((*PREDICT, "--output", "out.csv", "--address", "auto"), "--address is for --engine ray"),
    ],
)
def test_what_is_wrong_is_one_line(promptkit, rows, arguments, said):
    status, out, err = promptkit(*arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert not list(rows.glob("out.*"))


def test_without_ray_the_command_that_installs_it_is_told(promptkit, rows, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    status, _, err = promptkit(*RAY)
    assert status == 2
    assert "pip install 'promptkit[ray]'" in err
    assert not list(rows.glob("out.*"))


def test_what_another_engine_began_is_left_to_it(promptkit, rows):
    partial = rows / "out.jsonl.partial"
    partial.mkdir()
    (partial / "state.json").write_text('{"key": "k", "rows": 2}')
    status, _, err = promptkit(*RAY)
    assert status == 2
    assert "was begun with --engine local; go on with that" in err
    assert (partial / "state.json").is_file()


@pytest.mark.slow
def test_a_model_that_is_not_there_is_one_line(promptkit, rows):
    arguments = (*PREDICT[:3], "--data", "rows.jsonl", "--model", "./nowhere", "--output", "o.csv")
    status, _, err = promptkit(*arguments, "--engine", "ray", "--workers", "1")
    assert status == 2
    assert "./nowhere" in err
    assert err.count("\n") == 1
