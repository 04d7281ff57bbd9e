"""Two workers on one store, one of them killed at random: the same table, nothing lost or twice.

    python bench/workers.py [--times 10] [--data customer_reviews]

A comparison is computed once by one process. Then, so many times anew, two workers begin on an
empty store; one is killed with SIGKILL after a random time, a third takes its place, and the table
is asked for. Printed is how often predictions, scores and the verdict are those of the one process,
how many cells are missing, and how many were finished twice.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

OPTIONS = ("--strategies", "majority,zero-shot,tfidf,nearest-neighbour,features", "--sizes",
           "8,32,all", "--seeds", "2")  # fmt: skip
#: What must be the same; times and memory are not.
KEPT = ("entry", "size", "n_train", "accuracy", "macro_f1", "difference", "p_value", "is_best")


def command(data: str, store: Path, *more: str) -> list[str]:
    asked = ["--data", data, *OPTIONS, "--store", str(store), *more]
    return [sys.executable, "-m", "promptkit", "compare", *asked]


def table(data: str, store: Path) -> tuple[object, int]:
    """What must be the same, and cells that were not there before the table was asked for."""
    asked = command(data, store, "--format", "json")
    found = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
    lines = [{key: line[key] for key in KEPT} for line in found["lines"]]
    late = len(found["cells"]) - found["from_store"]
    return (lines, found["verdict"]["entry"], found["verdict"]["reasons"]), late


def cells(store: Path) -> dict[str, list[tuple[int, ...]]]:
    """The predictions of each finished cell, by key, over all workers' files."""
    found: dict[str, list[tuple[int, ...]]] = {}
    for file in store.glob("comparisons/*/cells*.jsonl"):
        for line in file.read_text().splitlines():
            cell = json.loads(line)
            found.setdefault(cell["key"], []).append(tuple(cell["predicted"]))
    return found


def once(data: str, store: Path, rng: random.Random, seconds: float) -> float:
    """Two workers, one killed; gives when that was."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    two = [subprocess.Popen(command(data, store, "--worker"), **quiet) for _ in range(2)]
    after = rng.uniform(0.15, 0.9) * seconds
    time.sleep(after)
    two[rng.randrange(2)].send_signal(signal.SIGKILL)
    two.append(subprocess.Popen(command(data, store, "--worker"), **quiet))
    for process in two:
        process.wait()
    return after


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--data", default="customer_reviews")
    given = parser.parse_args()
    rng, counts = random.Random(0), Counter()
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        alone, _ = table(given.data, Path(folder) / "alone")
        whole = cells(Path(folder) / "alone")
        seconds = time.monotonic() - begun
        print(f"alone: {len(whole)} cells, {seconds:.0f} s", flush=True)
        for number in range(given.times):
            store = Path(folder) / str(number)
            after = once(given.data, store, rng, seconds / 2)
            found = cells(store)
            twice = sum(len(told) - 1 for told in found.values())
            missing = len(whole.keys() - found.keys())
            told, late = table(given.data, store)
            same = told == alone and all(found.get(k) == own for k, own in whole.items())
            counts.update(same=same, twice=twice, missing=missing, late=late)
            print(
                f"{number + 1}: killed after {after:.1f} s; same {same}; {missing} missing, "
                f"{twice} twice",
                flush=True,
            )
    print(
        f"\n{counts['same']} of {given.times} times the same table; {counts['missing']} cells "
        f"lost, {counts['twice']} done twice."
    )


if __name__ == "__main__":
    main()
