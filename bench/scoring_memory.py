"""Peak memory of label scoring, each way in a process of its own.

    python -m bench.scoring_memory [--data ../shared/data]

For each case of `bench.scoring` (fewer rows) with batches of 16 rows: promptkit against its plain
loop, which runs a sequence for every row and distinct label. Then a vocabulary of 262,144 with
prompts of 4,000 tokens. What stands in the table is the highest resident memory of the process, the
libraries and the model included; beside it what a process has that loads both and scores one row.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.scoring import SHARED
from bench.scoring_cases import cases, model, tokenizer

ROWS = 32


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--cases", default="abcdef")
    parser.add_argument("--worker", nargs=4, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    data = options.data if options.data.is_dir() else None
    if options.worker:
        folder, case, way, rows = options.worker
        print(json.dumps(peak(data, folder, case, way, int(rows))))
        return
    print("| case | loaded, MiB | promptkit | plain loop | ratio |\n|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        made = tokenizer(cases(data))
        made.save_pretrained(folder)
        model("llama", "25m", len(made)).save_pretrained(folder)
        for name in options.cases:
            print(line(options, folder, name), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        made.save_pretrained(folder)
        model("llama", "25m", 2**18).save_pretrained(folder)
        print(line(options, folder, "long"), flush=True)


def line(options: Any, folder: str, name: str) -> str:
    """A row of the table."""
    found = []
    for way, rows in (("shared", 1), ("shared", ROWS), ("plain", ROWS)):
        command = [sys.executable, "-m", "bench.scoring_memory", "--data", str(options.data),
                   "--worker", folder, name, way, str(rows)]  # fmt: skip
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(ended.stdout.splitlines()[-1])["mib"])
    loaded, ours, plain = found
    return f"| {name} | {loaded:.0f} | {ours:.0f} | {plain:.0f} | {ours / plain:.2f} |"


def peak(data: Path | None, folder: str, name: str, way: str, rows: int) -> dict[str, float]:
    """Highest resident memory of this process after scoring some rows."""
    from promptkit.backends.hf import HFBackend
    from promptkit.backends.meter import resident_peak_bytes

    every = cases(data)
    case = next(one for one in every if one.name[0] == (name if name != "long" else "f"))
    prompts, candidates = list(case.prompts[:rows]), case.candidates()[:rows]
    backend = HFBackend(folder, batch_size="auto" if name == "long" else 16)
    if name == "long":  # ten texts in one
        from dataclasses import replace

        whole = tuple(piece for prompt in case.prompts[:11] for piece in prompt.query)
        prompts = [replace(prompt, query=whole + prompt.query) for prompt in prompts[:4]]
        candidates = candidates[:4]
        lengths = [len(one.context) for one in backend.tokens.requests(prompts, candidates)]
        print("tokens", lengths, file=sys.stderr)
    if way == "plain":
        backend._scorer.reuse = None
    backend.score(prompts, candidates)
    return {"mib": resident_peak_bytes() / 2**20}


if __name__ == "__main__":
    main()
