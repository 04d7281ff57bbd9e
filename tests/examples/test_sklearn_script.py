"""The example for scikit-learn's users runs, and what it shows is so."""

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "sklearn_grid_and_vote.py"


@pytest.mark.slow
def test_the_search_and_the_vote_run_and_the_vote_is_best(capsys):
    runpy.run_path(str(SCRIPT), run_name="__main__")
    said = capsys.readouterr().out
    lines = dict(line.split() for line in said.splitlines() if len(line.split()) == 2)
    assert set(lines) >= {"prompt", "features", "words", "vote"}
    assert float(lines["vote"]) >= float(lines["words"]) + 0.05
    assert "'shots': " in said
    assert "without the encoder" in said
