"""Pre-training of pocket on public-domain prose; killed, it goes on from its last checkpoint.

    python examples/pocket/pretrain.py PROSE TOKENIZER OUT --epochs 4

A Llama of 8.5 million parameters. Paragraphs stand one behind the other in their order, books
apart, and are cut into sequences; every epoch cuts them elsewhere.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

LENGTH, BATCH, RATE, WARMUP = 256, 32, 2e-3, 100


def stream(file: Path, tokenizer: object) -> np.ndarray:
    """(t,) token ids of all paragraphs: line ends between those of a book, an end between books."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    ids = tokenizer([row["text"] for row in rows], add_special_tokens=False)["input_ids"]
    newline = tokenizer("\n", add_special_tokens=False)["input_ids"]
    found, before = [], None
    for row, own in zip(rows, ids, strict=True):
        found.append([tokenizer.bos_token_id] if row["source"] != before else newline)
        found.append(own)
        before = row["source"]
    return np.array([one for own in found for one in own], np.int64)


def batches(ids: np.ndarray, epoch: int, seed: int) -> np.ndarray:
    """(n, BATCH, LENGTH) of an epoch, in a drawn order."""
    draw = np.random.default_rng([seed, epoch])
    start = int(draw.integers(LENGTH))
    n = (len(ids) - start) // LENGTH
    rows = ids[start : start + n * LENGTH].reshape(n, LENGTH)[draw.permutation(n)]
    return rows[: n // BATCH * BATCH].reshape(-1, BATCH, LENGTH)


def rate_at(step: int, total: int) -> float:
    """The learning rate: up in WARMUP steps, then down to a tenth along a cosine."""
    if step < WARMUP:
        return RATE * (step + 1) / WARMUP
    share = (step - WARMUP) / max(1, total - WARMUP)
    return RATE * (0.1 + 0.45 * (1 + math.cos(math.pi * share)))


def loss_of(model: LlamaForCausalLM, rows: torch.Tensor) -> torch.Tensor:
    """Mean negative log-probability of a token, in nats."""
    with torch.autocast("cpu", torch.bfloat16):
        return model(input_ids=rows, labels=rows, use_cache=False).loss


def main() -> None:
    """Train, and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prose", type=Path)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compile", action="store_true", help="needs a C++ compiler; 1.4x as fast")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(given.tokenizer)
    torch.manual_seed(given.seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=256, intermediate_size=704, num_hidden_layers=8,
            num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=1024,
            tie_word_embeddings=True, rope_theta=10_000.0, bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        )
    )  # fmt: skip
    weights = [one for one in model.parameters() if one.ndim > 1]
    scales = [one for one in model.parameters() if one.ndim == 1]
    optimizer = torch.optim.AdamW(
        [{"params": weights, "weight_decay": 0.1}, {"params": scales, "weight_decay": 0.0}],
        lr=RATE, betas=(0.9, 0.95), fused=True,
    )  # fmt: skip
    ids, held = (stream(given.prose / f"{part}.jsonl", tokenizer) for part in ("train", "heldout"))
    epochs = [batches(ids, epoch, given.seed) for epoch in range(given.epochs)]
    total = sum(map(len, epochs))
    done = restored(model, optimizer, given.out)
    size = f"{len(ids):,} tokens an epoch, {model.num_parameters():,} parameters"
    print(f"{size}, step {done} of {total}", flush=True)
    computed = torch.compile(loss_of, dynamic=False) if given.compile else loss_of
    step, began = 0, time.perf_counter()
    for epoch in epochs:
        for rows in epoch:
            step += 1
            if step <= done:
                continue
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step - 1, total)
            loss = computed(model, torch.from_numpy(rows))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            if step % 50 == 0 or step == total:
                speed = (step - done) * BATCH * LENGTH / (time.perf_counter() - began)
                print(f"step {step} loss {loss.item():.3f} {speed:,.0f} tokens/s", flush=True)
            if step % 200 == 0 or step == total:
                keep(model, optimizer, step, given.out)
    with torch.inference_mode():
        rows = held[: len(held) // LENGTH * LENGTH].reshape(-1, LENGTH)
        losses = [loss_of(model, torch.from_numpy(one[None])).item() for one in rows]
    print(f"held-out loss {np.mean(losses):.3f}, perplexity {math.exp(np.mean(losses)):.1f}")
    model.to(torch.bfloat16).save_pretrained(given.out / "model")  # half the size on disk
    tokenizer.save_pretrained(given.out / "model")


def keep(model: torch.nn.Module, optimizer: torch.optim.Optimizer, step: int, out: Path) -> None:
    """Write weights and optimizer, each file whole or not at all, the step last."""
    state = {
        f"model.{name}": one for name, one in model.state_dict().items() if name != "lm_head.weight"
    }
    for place, own in optimizer.state_dict()["state"].items():
        state |= {f"optimizer.{place}.{name}": one for name, one in own.items()}
    save_file({name: one.contiguous() for name, one in state.items()}, out / "checkpoint.new",
              metadata={"step": str(step)})  # fmt: skip
    (out / "checkpoint.new").replace(out / "checkpoint.safetensors")


def restored(model: torch.nn.Module, optimizer: torch.optim.Optimizer, out: Path) -> int:
    """Take up the last checkpoint; the number of steps that it has behind it."""
    file = out / "checkpoint.safetensors"
    if not file.is_file():
        return 0
    from safetensors import safe_open

    with safe_open(file, "pt") as opened:
        step = int(opened.metadata()["step"])
    kept = load_file(file)
    own = {
        name.removeprefix("model."): one for name, one in kept.items() if name.startswith("model.")
    }
    model.load_state_dict(own, strict=False)
    states: dict[int, dict[str, torch.Tensor]] = {}
    for name, one in kept.items():
        if name.startswith("optimizer."):
            _, place, what = name.split(".")
            states.setdefault(int(place), {})[what] = one
    optimizer.load_state_dict({**optimizer.state_dict(), "state": states})
    return step


if __name__ == "__main__":
    main()
