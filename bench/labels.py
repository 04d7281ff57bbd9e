"""Label scoring through backend hf against the plain computation, in one run, as ratios.

    python bench/labels.py [--rows 40] [--threads 2]

The plain computation runs every row with every label through the model, one sequence at a time.
The model is a random Llama: weights do not matter for speed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

sys.path.insert(0, str(Path(__file__).parents[1]))

from promptkit.backends.hf import HFBackend
from promptkit.runs import EvalSpec
from promptkit.runs.build import demonstrations
from promptkit.runs.rows import rows_for
from tests.tiny import tokenizer_of

CASES = (
    ("3 labels, zero-shot", "sentiment_zero_shot", 0),
    ("3 labels, 8 demonstrations", "sentiment_few_shot", 8),
    ("12 labels of several tokens", "intent_zero_shot", 0),
)


def main() -> None:
    """Print a table of rows per second and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = tokenizer_of("llama")
        config = LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=256, intermediate_size=688, num_hidden_layers=6,
            num_attention_heads=8, num_key_value_heads=4, max_position_embeddings=2048,
        )  # fmt: skip
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        print("| case | rows/s, promptkit | rows/s, plain | ratio | largest difference |")
        print("|---|---:|---:|---:|---:|")
        for case in CASES:
            print(measured(folder, *case, options.rows), flush=True)


def measured(folder: str, name: str, template_name: str, shots: int, n: int) -> str:
    """One row of the table."""
    asked = EvalSpec(template=template_name, model=folder, shots=shots, limit=n)
    template, data, train, _ = rows_for(asked)
    prompts = [template.prompt(row, demonstrations(asked, template, train, row)) for row in data]
    candidates = [template.candidates(row, "text") for row in data]
    backend = HFBackend(folder)
    backend.score(prompts[:4], candidates[:4])
    started = time.perf_counter()
    found = backend.score(prompts, candidates)
    ours = time.perf_counter() - started
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    started = time.perf_counter()
    plain = [
        plain_scores(model, backend.tokens.request(p, c))
        for p, c in zip(prompts, candidates, strict=True)
    ]
    theirs = time.perf_counter() - started
    worst = max(
        abs(a - b)
        for evidence, row in zip(found, plain, strict=True)
        for a, b in zip(evidence.log_p, row, strict=True)
    )
    return f"| {name} | {n / ours:.1f} | {n / theirs:.1f} | {theirs / ours:.1f} | {worst:.1e} |"


@torch.inference_mode()
def plain_scores(model: torch.nn.Module, request: object) -> list[float]:
    """Log-probability of each answer, a forward pass each."""
    scores = []
    for answer in request.answers:
        ids = torch.tensor([[*request.context, *answer]])
        log_p = model(input_ids=ids).logits[0].float().log_softmax(-1)
        start = len(request.context)
        scores.append(sum(log_p[start + i - 1, t].item() for i, t in enumerate(answer)))
    return scores


if __name__ == "__main__":
    main()
