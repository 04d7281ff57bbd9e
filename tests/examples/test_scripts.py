"""Every script in examples/ runs to its end, its own assertions held, without a network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
#: A line of a script that cannot run here.
NEEDS_THE_HUB = "# needs: the hub"
#: Those that load no trained model, or one alone, run every time; the others with the slow tests.
QUICK = ("data_frames", "test_your_own_code", "zero_shot")


def _script(path):
    return pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else pytest.mark.slow)


def _runs_here(path):
    return NEEDS_THE_HUB not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [_script(path) for path in SCRIPTS if _runs_here(path)])
def test_it_runs_to_its_end(path, home):
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, cwd=home,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout


def test_most_scripts_run_here_and_say_what_they_show():
    assert sum(map(_runs_here, SCRIPTS)) >= 10
    for path in SCRIPTS:
        assert path.read_text(encoding="utf-8").startswith('"""')


def test_getting_started_names_them():
    page = (SCRIPTS[0].parents[1] / "docs" / "getting-started.md").read_text(encoding="utf-8")
    assert [path.name for path in SCRIPTS if _runs_here(path) and path.name not in page] == []
