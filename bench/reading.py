"""Features of all layers against the bare forward pass: rows a second, and memory.

    python -m bench.reading [--rows 10000] [--rounds 2] [--model minilm]

Short texts of words drawn with a seed. The bare pass runs the same network over the same token ids
in batches of equal length, as large as ours, and keeps nothing: what cannot be beaten. Rounds are
interleaved, and the best of each counts.
"""

from __future__ import annotations

import argparse
import random
import resource
import time

import torch

from promptkit.backends.encoding import fitted_ids, padded
from promptkit.backends.hidden import CHUNK, HiddenStates
from promptkit.backends.plan import batches
from promptkit.types import Piece

WORDS = (
    "the a parcel never came and nobody wrote back when I asked for my money again today".split()
)


def made(n: int) -> list[tuple[Piece, ...]]:
    """Texts of 3 to 25 words, no two alike."""
    draw = random.Random(0)
    return [
        (Piece(" ".join(draw.choices(WORDS, k=draw.randint(3, 25))) + f" {i}", row=True),)
        for i in range(n)
    ]


@torch.inference_mode()
def bare(model: HiddenStates, ids: list[list[int]]) -> float:
    """Seconds of the forward pass alone, texts of one length together."""
    began = time.perf_counter()
    for batch in batches([len(own) for own in ids], tokens=model._budget()):
        features = padded(model.tokens, [ids[place] for place in batch], "cpu")
        model.network(**features)
    return time.perf_counter() - began


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--model", default="minilm")
    given = parser.parse_args()
    texts = made(given.rows)
    model = HiddenStates(given.model)
    model.read(texts[:64], ["mean"])
    ids, _ = fitted_ids(model.tokens, texts, model.max_tokens)
    whole, alone = [], []
    for _ in range(given.rounds):
        fresh = HiddenStates(given.model)
        fresh.__dict__["network"], fresh.__dict__["tokens"] = model.network, model.tokens
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        for start in range(0, len(texts), CHUNK):  # streamed: what was read may be forgotten
            fresh.read(texts[start : start + CHUNK], ["mean"])
        whole.append(time.perf_counter() - began)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        alone.append(bare(model, ids))
    rates = [given.rows / min(one) for one in (whole, alone)]
    tokens = sum(map(len, ids)) / len(ids)
    print(f"{given.rows:,} rows of {tokens:.1f} tokens, {model.n_layers + 1} states of each")
    print(f"all layers: {rates[0]:,.0f} rows/s; bare pass: {rates[1]:,.0f}; "
          f"ratio {rates[0] / rates[1]:.2f}; memory grew by {grown / 2**10:.0f} MiB")  # fmt: skip


if __name__ == "__main__":
    main()
