"""Label scoring against lm-evaluation-harness, vLLM and the plain loop, in one run.

    python -m bench.scoring [--data ../shared/data] [--harness PYTHON] [--vllm PYTHON]
    python -m bench.scoring --families llama,gpt2,qwen3,gemma     # shares of the peak
    python -m bench.scoring --device cuda --size 0.5b --dtype bfloat16

A random model and its prompts are made, then promptkit, the harness (0.4.13, HF backend, batch size
16, in the environment of PYTHON) and the plain loop (a pass for every row and label) score the same
prompts, given as text; tokenization counts for all of them. The slow ones get the first rows of a
case, and their rate is over these. Log-probabilities are compared with all of them, and on 50 rows
with a float64 model.

* distinct tokens: the one common beginning once, each row's own tokens after it once, each inner
  node of its tree of labels once (the last token of a label is predicted, never read).
* share: (2 x parameters of the layers x distinct tokens + 2 x width x vocabulary x positions read)
  / seconds in the model / peak. Attention is left out. Positions read: where labels are predicted.
* peak: a product of two square matrices in this type, median of five, before and after each run of
  a case; the median of these is what counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
import transformers
from rich.console import Console
from rich.table import Table

from bench.scoring_cases import SIZES, Case, cases, model, tokenizer
from promptkit.backends.hf import HFBackend, with_exact_attention
from promptkit.backends.tokens import Request

SHARED = Path(__file__).parents[2] / "shared" / "data"
#: Rows that are compared with float64.
EXACT_ROWS = 50


def main() -> None:
    """Print a table for each family."""
    options = _options()
    torch.set_num_threads(options.threads)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    data = options.data if options.data.is_dir() else None
    console = Console(width=options.width)
    console.print(f"rows: {'in-box' if data is None else data.name}; {options.dtype}, {_machine()}")
    asked = [c for c in cases(data, options.scale) if c.name[0] in options.cases]
    for family in options.families.split(","):
        with tempfile.TemporaryDirectory() as folder:
            found = measured(family, folder, asked, options)
        console.print(table(family, found))
        for line in found:
            print(json.dumps({"family": family, **line}), file=sys.stderr)


def measured(family: str, folder: str, asked: list[Case], options: Any) -> list[dict[str, Any]]:
    """What each case took."""
    made = tokenizer(asked)
    model(family, options.size, len(made)).save_pretrained(folder)
    made.save_pretrained(folder)
    backend = HFBackend(folder, device=options.device, dtype=options.dtype)
    peers = {
        tool: Peer(tool, python, folder, options)
        for tool, python in (("harness", options.harness), ("vllm", options.vllm))
        if python
    }
    found = []
    for case in asked:
        line = ours(backend, case, options)
        for tool, peer in peers.items():
            line |= against(peer, tool, case, line)
        line |= against_plain(backend, case, line, options)
        found.append({k: v for k, v in line.items() if not k.startswith("_")})
    for peer in peers.values():
        peer.close()
    return found


def ours(backend: HFBackend, case: Case, options: Any) -> dict[str, Any]:
    """promptkit, best of a few warm runs; whole seconds, those in the model, and on tokens."""
    prompts, candidates = list(case.prompts), case.candidates()
    backend.score(prompts[:8], candidates[:8])
    best: dict[str, Any] = {}
    peaks = [peak_flops(options.device, options.dtype)]
    for _ in range(options.repeats):
        _forget(backend)
        before = backend.cost.computed_tokens
        with _timed(backend._scorer, "run") as run, _timed(backend._scorer, "requests") as request:
            begun = time.perf_counter()
            evidence = backend.score(prompts, candidates)
            seconds = time.perf_counter() - begun
        once = {"seconds": seconds, "model_s": run[0], "tokens_s": request[0],
                "computed": backend.cost.computed_tokens - before}  # fmt: skip
        peaks.append(peak_flops(options.device, options.dtype))
        best = min(best or once, once, key=lambda one: one["seconds"])
    requests = backend._scorer.requests(prompts, candidates)
    distinct, read = distinct_tokens(requests)
    flops = 2 * _layer_parameters(backend._model) * distinct + read * _head_flops(backend._model)
    peak = statistics.median(peaks)
    return best | {
        "peaks": peaks, "peak": peak, "case": case.name, "rows": len(prompts),
        "distinct": distinct, "read": read,
        "rate": len(prompts) / best["seconds"], "share": flops / best["model_s"] / peak,
        "tokens_share": best["tokens_s"] / best["seconds"],
        "_log_p": [list(one.log_p) for one in evidence], "_requests": requests,
    }  # fmt: skip


def against(peer: Peer, tool: str, case: Case, line: dict[str, Any]) -> dict[str, Any]:
    """Another tool on the first rows."""
    n = min(case.harness, len(case.prompts))
    peer.ask(case.contexts[:2], list(case.labels))  # warm
    answer = peer.ask(case.contexts[:n], list(case.labels))
    theirs = n / answer["seconds"]
    return {
        f"{tool}_rows": n, f"{tool}_rate": theirs, f"{tool}_ratio": line["rate"] / theirs,
        f"{tool}_gap": gap(line["_log_p"], answer["log_p"]),
        f"{tool}_agree": agreement(line["_log_p"], answer["log_p"]),
    }  # fmt: skip


def against_plain(
    backend: HFBackend, case: Case, line: dict[str, Any], options: Any
) -> dict[str, Any]:
    """The plain loop on the first rows, and a float64 model on more of them."""
    some = line["_requests"][: case.plain]
    begun = time.perf_counter()
    plain = [plainly(backend._model, request) for request in some]
    seconds = time.perf_counter() - begun
    found = {
        "plain_rows": len(some), "plain_rate": len(some) / seconds,
        "plain_ratio": line["rate"] * seconds / len(some),
        "plain_gap": gap(line["_log_p"], plain), "plain_agree": agreement(line["_log_p"], plain),
    }  # fmt: skip
    if not options.exact:
        return found
    dtype = backend._model.dtype
    exact = exact_model(backend).to(options.device)
    known = [cached(exact, request) for request in line["_requests"][: options.exact]]
    assert backend._model.dtype == dtype
    return found | {
        "exact_rows": len(known), "exact_gap": gap(line["_log_p"], known),
        "exact_agree": agreement(line["_log_p"], known),
    }  # fmt: skip


def exact_model(backend: HFBackend) -> Any:
    """The same weights in float64."""
    loader = transformers.AutoModelForCausalLM
    exact = loader.from_pretrained(backend.model, dtype=torch.float64, local_files_only=True)
    return with_exact_attention(exact.eval())


@torch.inference_mode()
def plainly(model: Any, request: Request) -> list[float]:
    """Log-probability of each answer, a pass each."""
    scores = []
    for answer in request.answers:
        ids = torch.tensor([[*request.context, *answer]], device=model.device)
        log_p = model(input_ids=ids, use_cache=False).logits[0].float().log_softmax(-1)
        start = len(request.context)
        own = log_p[torch.arange(start - 1, ids.shape[1] - 1), ids[0, start:]]
        scores.append(float(own.sum()))
    return scores


@torch.inference_mode()
def cached(model: Any, request: Request) -> list[float]:
    """The same through transformers' own cache: the prompt once, its answers as a batch."""
    before = torch.tensor([request.context], device=model.device)
    cache = transformers.DynamicCache(config=model.config)
    first = model(input_ids=before, past_key_values=cache, use_cache=True).logits[:, -1:]
    width = max(map(len, request.answers))
    rows = [[*answer, *[0] * (width - len(answer))] for answer in request.answers]
    ids = torch.tensor(rows, device=model.device)
    logits = first.expand(len(rows), -1, -1)
    if width > 1:
        cache.batch_repeat_interleave(len(rows))
        rest = model(input_ids=ids[:, :-1], past_key_values=cache, use_cache=True).logits
        logits = torch.cat([logits, rest], dim=1)
    log_p = logits.log_softmax(-1).gather(2, ids[:, :, None])[:, :, 0]
    return [float(own[: len(a)].sum()) for own, a in zip(log_p, request.answers, strict=True)]


def distinct_tokens(requests: Sequence[Request]) -> tuple[int, int]:
    """Tokens that differ, counted without the planner; and positions whose output is read."""
    contexts = [request.context for request in requests]
    columns = list(zip(*(context[:-1] for context in contexts), strict=False))
    common = next((i for i, ids in enumerate(columns) if len(set(ids)) > 1), len(columns))
    total, read = common, 0
    for request in requests:
        nodes = {a[:end] for a in request.answers for end in range(1, len(a))}
        total += len(request.context) - common + len(nodes)
        read += 1 + len(nodes)
    return total, read


def gap(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]) -> float:
    """Largest difference of a log-probability over the rows that both have."""
    pairs = zip(ours, theirs, strict=False)
    return max(abs(a - b) for x, y in pairs for a, b in zip(x, y, strict=True))


def agreement(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]) -> float:
    """Share of the rows whose most likely label is the same."""
    pairs = list(zip(ours, theirs, strict=False))
    return sum(x.index(max(x)) == y.index(max(y)) for x, y in pairs) / len(pairs)


def peak_flops(device: str, dtype: str, size: int = 2048) -> float:
    """Operations per second of a product of square matrices, median of five."""
    size = size if device == "cpu" else 8192
    one = torch.randn(size, size, device=device).to(getattr(torch, dtype))
    other, rates = one.clone(), []
    for turn in range(7):
        _wait(device)
        begun = time.perf_counter()
        one @ other
        _wait(device)
        if turn > 1:
            rates.append(2 * size**3 / (time.perf_counter() - begun))
    return statistics.median(rates)


class Peer:
    """Another tool in a process of its own, asked in turn."""

    def __init__(self, tool: str, python: str, folder: str, options: Any) -> None:
        command = [python, str(Path(__file__).with_name("scoring_peers.py")), tool, folder,
                   "--threads", str(options.threads), "--device", options.device,
                   "--dtype", options.dtype]  # fmt: skip
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
            env={"VLLM_CPU_KVCACHE_SPACE": "1", **os.environ},
        )  # fmt: skip
        self._answer()

    def ask(self, contexts: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
        """Seconds and log-probabilities."""
        assert self.process.stdin
        print(json.dumps({"contexts": contexts, "labels": labels}), file=self.process.stdin,
              flush=True)  # fmt: skip
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            raise SystemExit(f"the other tool ended:\n{self.log.read()[-3000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End it."""
        assert self.process.stdin
        with suppress(OSError):
            self.process.stdin.close()
        self.process.wait(60)


@contextmanager
def _timed(owner: Any, name: str) -> Iterator[list[float]]:
    """Seconds spent in a method, the device's work included."""
    usual, spent = getattr(owner, name), [0.0]

    def timed(*arguments: Any, **options: Any) -> Any:
        begun = time.perf_counter()
        try:
            return usual(*arguments, **options)
        finally:
            spent[0] += time.perf_counter() - begun

    setattr(owner, name, timed)
    try:
        yield spent
    finally:
        delattr(owner, name)


def _forget(backend: HFBackend) -> None:
    """Drop the prefix of the last run: each run computes its own."""
    if getattr(backend._scorer, "reuse", None):
        backend._scorer.reuse.forget()


def _layer_parameters(model: Any) -> int:
    """Weights of matrices inside the layers."""
    tables = {id(model.get_input_embeddings().weight), id(model.get_output_embeddings().weight)}
    return sum(
        module.weight.numel()
        for module in model.modules()
        if getattr(getattr(module, "weight", None), "ndim", 0) == 2
        and not isinstance(module, torch.nn.Embedding)
        and id(module.weight) not in tables
    )


def _head_flops(model: Any) -> int:
    weight = model.get_output_embeddings().weight
    return 2 * int(weight.numel())


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _machine() -> str:
    threads = torch.get_num_threads()
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{threads} CPU threads"
    return f"{name}; torch {torch.__version__}, transformers {transformers.__version__}"


def table(family: str, lines: Sequence[dict[str, Any]]) -> Table:
    """The cases of a family."""
    peaks = [peak / 1e9 for line in lines for peak in line["peaks"]]
    middle = statistics.median(peaks)
    drawn = Table(
        title=f"{family}; peak {middle:.0f} GFLOP/s ({min(peaks):.0f} to {max(peaks):.0f})"
    )
    tools = [tool for tool in ("harness", "vllm", "plain") if f"{tool}_rate" in lines[0]]
    headings = ["case", "rows", "rows/s"]
    headings += [f"{tool} {part}" for tool in tools for part in ("rows/s", "ratio", "gap")]
    headings += ["float64 gap", "same choice", "distinct", "computed", "share of peak", "on tokens"]
    for heading in headings:
        drawn.add_column(heading, justify="left" if heading == "case" else "right")
    for line in lines:
        cells = [line["case"], str(line["rows"]), f"{line['rate']:.4g}"]
        for tool in tools:
            cells += [f"{line[f'{tool}_rate']:.3g}", f"{line[f'{tool}_ratio']:.1f}",
                      f"{line[f'{tool}_gap']:.1e}"]  # fmt: skip
        same = [line[key] for key in line if key.endswith("_agree")]
        cells += [f"{line['exact_gap']:.1e}" if "exact_gap" in line else "", f"{min(same):.3f}",
                  f"{line['distinct']:,}", f"{line['computed'] / line['distinct']:.3f}",
                  f"{line['share']:.2f}", f"{line['tokens_share']:.1%}"]  # fmt: skip
        drawn.add_row(*cells)
    return drawn


def _options() -> Any:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--cases", default="abcdef")
    parser.add_argument("--families", default="llama")
    parser.add_argument("--size", default="25m", choices=sorted(SIZES))
    parser.add_argument("--scale", type=float, default=1.0, help="rows, against the usual number")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--exact", type=int, default=EXACT_ROWS, help="rows against float64")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--harness", default="", help="a Python that has lm-eval")
    parser.add_argument("--vllm", default="", help="a Python that has vllm")
    parser.add_argument("--width", type=int, default=200)
    return parser.parse_args()


if __name__ == "__main__":
    main()
