"""``--profile lm-eval`` against lm-evaluation-harness itself: equal numbers, and the time of each.

    python -m bench.lm_eval --model pocket --rows 40

Tasks are the harness's own (beside the checkout) and some that show what those do not; rows are
those of the box in the columns that the tasks read. Both run in this process, on the same weights
in float32, one after the other, after each has run once to warm up.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from promptkit.backends.weights import locate
from promptkit.types import Evidence
from tests.lm_eval_tasks import (
    OWN,
    PUBLIC,
    TASKS,
    arguments_of,
    asked_of,
    by_harness,
    by_profile,
    results_of,
    written,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="pocket")
    parser.add_argument("--rows", type=int, default=40)
    parser.add_argument("--tasks", default="")
    options = parser.parse_args()
    model = locate(options.model).path
    names = (
        options.tasks.split(",") if options.tasks else [*(PUBLIC if TASKS.is_dir() else ()), *OWN]
    )
    print(
        "task             shots  rows  prompts  largest difference  metrics                   ratio"
    )
    compared("sst2", 0, model, 4)
    for name in names:
        for shots in (0, 3):
            if not (name == "several_right" and shots):
                print(compared(name, shots, model, options.rows), flush=True)


def compared(name: str, shots: int, model: Path, n: int) -> str:
    """One line of the table; the ratio is the harness's seconds over ours."""
    with tempfile.TemporaryDirectory() as folder:
        path, train, test = written(Path(folder), name, n)
        started = time.perf_counter()
        samples, results = by_harness(path, model, shots)
        theirs = time.perf_counter() - started
        started = time.perf_counter()
        trial, record = by_profile(path, Path(folder), train, test, model, shots)
        ours = time.perf_counter() - started
        strategy, rows = trial.strategy(True).fit(()), trial.data.examples
        evidence: list[Evidence] = strategy.gather(rows)
        same = all(
            asked_of(strategy, row) == arguments_of(sample)
            for row, sample in zip(rows, samples, strict=True)
        )
        apart = 0.0
        for one, sample in zip(evidence, samples, strict=True):
            log_p = [*one.log_p, *(one.members[0].log_p if one.members else ())]
            told = [float(resp[0][0]) for resp in sample["resps"]]
            apart = max(apart, *(abs(a - b) for a, b in zip(log_p, told, strict=True)))
        found = {score.metric: score.value for score in record.report.scores}
        metrics = [
            f"{metric} {value:.3f}{'' if abs(found[metric] - value) < 1e-6 else ' DIFFERS'}"
            for metric, value in results_of(results).items()
        ]
    equal = "equal" if same else "DIFFER"
    told = f"{name:16s} {shots:5d} {len(rows):5d}  {equal:7s}  {apart:18.1e}"
    return f"{told}  {', '.join(metrics):32s} {theirs / ours:5.2f}"


if __name__ == "__main__":
    main()
