"""The script for models of the hub runs on a local folder, and says why a model cannot be had."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "examples" / "hub_models.py"


def test_it_prints_a_line_for_each_model(causal_folder, home):
    folder = str(causal_folder("qwen3"))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--models", folder, "no-one/no-such-model", "--limit", "6",
         "--templates", "sentiment_chat", "--output", "hub.md"],
        capture_output=True, text=True, cwd=home, env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    head, _, first, second = done.stdout.splitlines()
    assert head == "| model | sentiment_chat | rows/s |"
    assert first.startswith(f"| {folder} | 0.")
    assert " to " in first
    assert second.startswith("| no-one/no-such-model | ")
    assert "no-one/no-such-model" in second[25:]
    assert (home / "hub.md").read_text() == done.stdout


def test_the_table_names_the_models_of_the_script():
    names = SCRIPT.read_text().split("MODELS = (")[1].split(")")[0]
    table = SCRIPT.with_suffix(".md").read_text()
    models = [line.strip().strip('",') for line in names.strip().splitlines()]
    assert len(models) == 8
    assert all(f"| {model} | not yet run |" in table for model in models)
