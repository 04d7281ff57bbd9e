"""Zero-shot by entailment against transformers' own pipeline, in one run.

    python -m bench.nli [--data ../shared/data] [--set trec] [--rows 200] [--batch 16]

A random BERT of 6 layers (384 wide, of the size of a small entailment model) judges the first test
rows of a set, six labels each, once by `NLIBackend` and by the zero-shot-classification pipeline,
with batches of one as it has them by default and with larger ones. All get texts, load nothing
within the clock and use as many threads. The order changes in every round, and the median of the
rounds counts. Probabilities are compared on all rows.

The vocabulary is that of the in-box encoder, so that rows have the tokens that English has.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from promptkit.backends.nli import NLIBackend
from promptkit.backends.weights import locate
from promptkit.types import Candidate, Piece, Prompt

SHARED = Path(__file__).parents[2] / "shared" / "data"
HYPOTHESIS = "The question asks for {}."
LABELS = {
    "description": "a description",
    "entity": "a thing",
    "abbreviation": "the meaning of an abbreviation",
    "human": "a person or a group",
    "location": "a place",
    "numeric": "a number",
}


def main() -> None:
    """Print seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--set", default="trec")
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    os.environ["HF_HUB_OFFLINE"] = "1"
    texts = rows_of(options.data / options.set / "test.jsonl", options.rows)
    with tempfile.TemporaryDirectory() as folder:
        save_model(Path(folder))
        ways = {
            "promptkit": lambda: ours(folder, texts),
            "pipeline": lambda: theirs(folder, texts, 1),
            f"pipeline, batches of {options.batch}": lambda: theirs(folder, texts, options.batch),
        }
        compare(ways, options.rounds, len(texts))


def compare(ways: dict[str, Callable[[], tuple[float, Any]]], rounds: int, n_rows: int) -> None:
    """Time each way in turn and print what came out."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    found: dict[str, Any] = {}
    for number in range(rounds):
        for name in list(ways)[:: 1 if number % 2 else -1]:
            took, found[name] = ways[name]()
            seconds[name].append(took)
    first = statistics.median(seconds["promptkit"])
    print(f"{n_rows} rows x {len(LABELS)} labels, {torch.get_num_threads()} thread(s), "
          f"transformers {transformers.__version__}, torch {torch.__version__}")  # fmt: skip
    for name, own in seconds.items():
        median = statistics.median(own)
        gap = np.abs(found[name] - found["promptkit"]).max()
        print(
            f"{name:24} {median:7.2f} s ({min(own):.2f} to {max(own):.2f})  "
            f"{n_rows / median:7.1f} rows/s  {median / first:5.2f} x  largest gap of p {gap:.1e}"
        )


def rows_of(file: Path, n: int) -> list[str]:
    """The first texts of a file."""
    lines = file.read_text(encoding="utf-8").splitlines()[:n]
    return [json.loads(line)["text"] for line in lines]


def save_model(folder: Path) -> None:
    """A random BERT with three outputs."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(locate("minilm").path)
    tokenizer.save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        initializer_range=0.1,  # wide enough that probabilities differ
        id2label=dict(enumerate(["contradiction", "neutral", "entailment"])),
        label2id={"contradiction": 0, "neutral": 1, "entailment": 2},
    )
    torch.manual_seed(0)
    transformers.BertForSequenceClassification(config).eval().save_pretrained(folder)


def ours(folder: str, texts: list[str]) -> tuple[float, Any]:
    """Seconds and (n, k) probabilities of a backend that remembers nothing yet."""
    backend = NLIBackend(folder, device="cpu")
    prompts = [
        Prompt(str(place), query=(), encoded=(Piece(text, True),))
        for place, text in enumerate(texts)
    ]
    told = [Candidate(k, (), (HYPOTHESIS.format(name),)) for k, name in LABELS.items()]
    begun = time.perf_counter()
    evidence = backend.score(prompts, [told] * len(prompts))
    took = time.perf_counter() - begun
    logits = np.array([one.log_p for one in evidence])
    p = np.exp(logits - logits.max(1, keepdims=True))
    return took, p / p.sum(1, keepdims=True)


def theirs(folder: str, texts: list[str], batch: int) -> tuple[float, Any]:
    """The same of transformers' pipeline."""
    pipe = transformers.pipeline(
        "zero-shot-classification", model=folder, device="cpu", batch_size=batch
    )
    names = list(LABELS.values())
    begun = time.perf_counter()
    found = pipe(texts, candidate_labels=names, hypothesis_template=HYPOTHESIS)
    took = time.perf_counter() - begun
    return took, np.array(
        [[one["scores"][one["labels"].index(name)] for name in names] for one in found]
    )


if __name__ == "__main__":
    main()
