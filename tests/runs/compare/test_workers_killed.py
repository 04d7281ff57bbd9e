"""Two worker processes on one store, one killed with SIGKILL: the same table, no cell twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from promptkit.runs.compare.engine import run_comparison
from tests.runs.compare.test_engine import spec, told

ASKED = {"folds": 5, "seeds": 2, "sizes": [8, 16, None]}
SCRIPT = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from tests.runs.compare.test_engine import spec
from promptkit.runs.compare.engine import help_comparison
print(*help_comparison(spec(**{ASKED!r})))
"""


def worker(home):
    return subprocess.Popen([sys.executable, "-c", SCRIPT], cwd=home, stdout=subprocess.PIPE)


def stored(home):
    files = (home / ".promptkit" / "comparisons").glob("*/cells*.jsonl")
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs SIGKILL")
def test_what_a_killed_worker_had_is_done_by_the_others(home):
    first, second = worker(home), worker(home)
    until = time.monotonic() + 120
    while len(stored(home)) < 5 and time.monotonic() < until:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    told_by_second, _ = second.communicate(timeout=120)
    computed, _ = map(int, told_by_second.split())
    found = run_comparison(spec(**ASKED))
    keys = Counter(line["key"] for line in stored(home))
    assert computed > 0
    assert set(keys.values()) == {1}
    assert len(keys) == len(found.cells) == 61
    assert told(found) == told(run_comparison(spec(**ASKED), root=home / "other"))
