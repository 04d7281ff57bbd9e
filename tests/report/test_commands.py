from __future__ import annotations

import shlex
import subprocess

import pytest

from promptkit.report.commands import Command, broken
from tests.report.samples import printed

LONG = "promptkit adapt --data 'my rows.csv' --label-map \"a b=c d\" --out " + "folder/" * 20
HARD = "printf '%s\\n' \"it's\" 'two  blanks' '' '$HOME' " + "é" * 90 + " 'quoted " + "x" * 90 + "'"


def test_a_short_command_is_left_alone() -> None:
    assert broken("promptkit adapt  --out 'a b'", 80) == ["promptkit adapt  --out 'a b'"]


@pytest.mark.parametrize("width", [30, 41, 80])
@pytest.mark.parametrize("command", [LONG, HARD])
def test_a_broken_command_is_the_same_to_a_shell(command: str, width: int) -> None:
    lines = broken(command, width)
    assert max(map(len, lines)) <= width
    assert shlex.split("\n".join(lines).replace("\\\n", "")) == shlex.split(command)


def test_a_real_shell_agrees() -> None:
    def said(command: str) -> str:
        return subprocess.run(["sh", "-c", command], capture_output=True, text=True).stdout

    assert said("\n".join(broken(HARD, 40))) == said(HARD)


def test_it_is_printed_without_being_wrapped() -> None:
    lines = [line.rstrip() for line in printed(Command(LONG), 60).splitlines()]
    assert lines == broken(LONG, 60)


def test_an_open_quotation_mark_is_not_broken() -> None:
    assert broken("echo 'abc " + "d" * 50, 20) == ["echo 'abc " + "d" * 50]
