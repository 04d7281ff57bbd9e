"""The README's commands on prompting are commands: run with the fake backend, on in-box rows."""

import shlex
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


def commands():
    text = README.read_text(encoding="utf-8")
    block = text.split("## Prompting, all of it")[1].split("```bash")[1].split("```")[0]
    return [line for line in block.splitlines() if line.startswith("promptkit eval")]


def test_there_are_such_commands():
    assert len(commands()) >= 5


@pytest.mark.parametrize("line", commands())
def test_it_runs(promptkit, line):
    arguments = shlex.split(line)[1:]
    for option, instead in (("--data", ["--data", "customer_reviews"]), ("--model", [])):
        if option in arguments:  # a reader's own file and model
            place = arguments.index(option)
            arguments[place : place + 2] = instead
    status, out, err = promptkit(*arguments, "--backend", "fake", "--limit", 12)
    assert status == 0, err
    assert "accuracy" in out
