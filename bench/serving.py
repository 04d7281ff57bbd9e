"""Labels scored on vLLM: promptkit against lm-evaluation-harness on the same engine, in one run.

    python -m bench.serving --data FOLDER         # where vLLM, promptkit and lm-eval are installed

Each tool has an engine of its own with the same settings, one after the other. Prompts are text on
both sides, tokenization is counted, what it takes to start an engine is not.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.scoring import SHARED, Peer, agreement, gap
from bench.scoring_cases import SIZES, Case, cases, model, tokenizer


def main() -> None:
    """Print a table."""
    options = _options()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    data = options.data if options.data.is_dir() else None
    asked = [c for c in cases(data, options.scale) if c.name[0] in options.cases]
    with tempfile.TemporaryDirectory() as folder:
        made = tokenizer(asked)
        model("llama", options.size, len(made)).save_pretrained(folder)
        made.save_pretrained(folder)
        found = ours(folder, asked, options)
        peer = Peer("harness-vllm", sys.executable, folder, options)
        for case, line in zip(asked, found, strict=True):
            n = min(case.harness, len(case.prompts))
            peer.ask(case.contexts[:1], list(case.labels)[:2])  # warm
            answer = peer.ask(case.contexts[:n], list(case.labels))
            line |= {
                "harness_rows": n, "harness_rate": n / answer["seconds"],
                "ratio": line["rate"] * answer["seconds"] / n,
                "gap": gap(line["_log_p"], answer["log_p"]),
                "same": agreement(line["_log_p"], answer["log_p"]),
            }  # fmt: skip
        peer.close()
    Console(width=options.width).print(table(found))
    for line in found:
        print(json.dumps({k: v for k, v in line.items() if k[0] != "_"}), file=sys.stderr)


def ours(folder: str, asked: list[Case], options: Any) -> list[dict[str, Any]]:
    """promptkit, the best of a few runs that begin with an empty prefix cache."""
    from promptkit.backends.vllm import VLLMBackend

    backend = VLLMBackend(folder, dtype=options.dtype, max_model_len=2048)
    found = []
    for case in asked:
        prompts, candidates = list(case.prompts), case.candidates()
        backend.score(prompts[:1], candidates[:1])
        best: dict[str, Any] = {}
        for _ in range(options.repeats):
            backend._scorer.engine.reset_prefix_cache()
            before = backend.cost.computed_tokens
            begun = time.perf_counter()
            evidence = backend.score(prompts, candidates)
            seconds = time.perf_counter() - begun
            if not best or seconds < best["seconds"]:
                best = {
                    "seconds": seconds, "computed": backend.cost.computed_tokens - before,
                    "_log_p": [list(one.log_p) for one in evidence],
                }  # fmt: skip
        found.append(
            {"case": case.name, "rows": len(prompts), "rate": len(prompts) / best["seconds"]} | best
        )
    del backend
    gc.collect()
    return found


def table(found: list[dict[str, Any]]) -> Table:
    """One row for each case."""
    made = Table(title="label scoring on vLLM")
    for name in ("case", "rows", "rows/s", "computed tokens", "harness rows", "harness rows/s",
                 "ratio", "largest gap", "same choice"):  # fmt: skip
        made.add_column(name, justify="left" if name == "case" else "right")
    for line in found:
        made.add_row(
            line["case"], str(line["rows"]), f"{line['rate']:.4g}", f"{line['computed']:,}",
            str(line["harness_rows"]), f"{line['harness_rate']:.3g}", f"{line['ratio']:.1f}",
            f"{line['gap']:.1e}", f"{line['same']:.3f}",
        )  # fmt: skip
    return made


def _options() -> Any:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--cases", default="abce")
    parser.add_argument("--size", default="25m", choices=sorted(SIZES))
    parser.add_argument("--scale", type=float, default=1.0, help="rows, against the usual number")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--width", type=int, default=140)
    return parser.parse_args()


if __name__ == "__main__":
    main()
