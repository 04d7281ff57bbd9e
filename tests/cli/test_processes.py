"""A mixture that two processes learn together on CPUs (gloo), as torchrun starts them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.cli.test_mixture import MIXTURE, TASK

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(home, causal_folder):
    """A function that tunes a tiny Llama in a process, or in two."""
    (home / "mixture.yaml").write_text(MIXTURE)
    (home / "task.yaml").write_text(TASK)
    rows = [{"text": f"text {n}", "label": ("good", "bad")[n % 2]} for n in range(8)]
    (home / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    llama = str(causal_folder("llama"))

    def call(output, *more, launcher=(), arguments=None):
        asked = arguments or [
            "tune", "--strategy", "instruct", "--mixture", "mixture.yaml", "--model", llama,
            "--output", output, "--device", "cpu", "--option", "epochs=2", *more,
        ]  # fmt: skip
        return subprocess.run(
            [sys.executable, *launcher, "-m", "promptkit", *asked], cwd=home, text=True,
            capture_output=True, timeout=300,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    return call


TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def test_two_processes_learn_what_one_does_and_one_of_them_saves(run, home):
    # batches of 8 rows either way: the whole of the mixture, so that the order does not matter
    options = ("--option", "precision=float32")
    alone = run("alone", "--option", "batch_size=8", *options)
    assert alone.returncode == 0, alone.stderr
    both = run("both", "--option", "batch_size=4", *options, launcher=TORCHRUN)
    assert both.returncode == 0, both.stderr
    assert both.stdout.count("saved in") == 1
    assert sorted(f.name for f in (home / "both").iterdir()) == sorted(
        f.name for f in (home / "alone").iterdir()
    )
    assert not (home / "both.partial").exists()
    first, second = (load_file(home / name / "model.safetensors") for name in ("alone", "both"))
    for name, weights in first.items():
        torch.testing.assert_close(second[name], weights, rtol=1e-4, atol=1e-5)


def test_work_of_one_process_is_refused_by_each(run, home):
    made = run(
        "m", launcher=TORCHRUN,
        arguments=["tune", "--strategy", "majority", "--data", "customer_reviews", "--output", "m"],
    )  # fmt: skip
    assert made.returncode != 0
    assert "is work for one process, and 2 were started" in made.stderr
    assert not (home / "m").exists()
