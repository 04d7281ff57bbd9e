"""The pages are built without a warning and without a network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Where the pages are built, and what Sphinx said."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html",
         "-d", str(folder / "doctrees"), str(ROOT / "docs"), str(folder / "html")],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    return done, folder / "html"


@pytest.mark.slow
def test_it_is_built_without_a_warning(site):
    done, _ = site
    warnings = [line for line in done.stderr.splitlines() if "WARNING: " in line or "ERROR" in line]
    assert done.returncode == 0, "\n".join(warnings) or done.stderr


@pytest.mark.slow
def test_what_is_generated_is_there(site):
    _, html = site
    cli = (html / "cli.html").read_text()
    for command in ("compare", "label-next", "templates lint"):
        assert f"promptkit {command}" in cli
    assert "--max-latency-ms" in cli
    mmr = (html / "methods" / "selectors" / "mmr.html").read_text()
    assert "diversity" in mmr
    assert "200" in mmr
    api = (html / "api" / "classifiers.html").read_text()
    assert "PromptClassifier" in api
    assert "predict_proba" in api
    assert "set_score_request" not in api


@pytest.mark.slow
def test_everything_public_is_in_the_reference(site):
    import promptkit

    _, html = site
    text = "".join(path.read_text() for path in (html / "api").glob("*.html"))
    assert [name for name in promptkit.__all__ if f".{name}" not in text] == []
