"""Pre-training of pocket on public-domain prose; killed, it goes on from its last checkpoint.

    python examples/pocket/pretrain.py PROSE TOKENIZER OUT --epochs 4

A Llama of 8.5 million parameters. Paragraphs stand one behind the other in their order, books
apart, and are cut into sequences; every epoch cuts them elsewhere. Word embeddings begin as those
that the in-box encoder has of each token, so that words of one meaning are near each other before
the first step: four million tokens are too few to learn that "refund" is near to "money" (the
embeddings of one model as another's start: Minixhofer et al. 2022). At the end of every sentence a
middle layer is held near to the encoder's vector of that sentence, beside the loss of the next
token. Matrices are learned by Muon (Jordan et al. 2024), everything else by AdamW.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import time
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tqdm import tqdm
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

from promptkit.backends.embedding import EmbeddingBackend

LENGTH, BATCH, RATE, WARMUP = 256, 16, 2e-3, 100
#: The layer that is held near to the encoder's vectors, and how much that counts.
LAYER, WEIGHT = 6, 2.0
SENTENCE = re.compile(r"(?<=[.!?;])(?=\s)|(?<=[.!?][\"'”’])(?=\s)")


def stream(file: Path, tokenizer: PreTrainedTokenizerBase) -> tuple[np.ndarray, list[str]]:
    """(2, t): token ids of all paragraphs, and which of the sentences a token ends, -1 for none.

    Line ends stand between the paragraphs of a book, an end between books.
    """
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    parts = [(i, part) for i, row in enumerate(rows) for part in SENTENCE.split(row["text"])]
    ids = tokenizer([part for _, part in parts], add_special_tokens=False)["input_ids"]
    newline = tokenizer("\n", add_special_tokens=False)["input_ids"]
    found: list[int] = []
    ends: list[int] = []
    before, source = None, None
    for number, ((i, _), own) in enumerate(zip(parts, ids, strict=True)):
        if i != before:
            between = [tokenizer.bos_token_id] if rows[i]["source"] != source else newline
            found += between
            ends += [-1] * len(between)
        found += own
        ends += [-1] * (len(own) - 1) + [number][: len(own)]
        before, source = i, rows[i]["source"]
    return np.array([found, ends], np.int64), [part.strip() for _, part in parts]


def meanings(texts: list[str], encoder: EmbeddingBackend, kept: Path) -> torch.Tensor:
    """(n, 384) in float16: the encoder's vectors of sentences, computed once."""
    if not kept.is_file():
        vectors = [
            torch.tensor(encoder.encode(texts[start : start + 8192])).half()
            for start in tqdm(range(0, len(texts), 8192), "sentences")
        ]
        save_file({"vectors": torch.cat(vectors)}, kept)
    return load_file(kept)["vectors"]


def batches(ids: np.ndarray, epoch: int, seed: int) -> np.ndarray:
    """(n, 2, BATCH, LENGTH) of an epoch, in a drawn order."""
    draw = np.random.default_rng([seed, epoch])
    start = int(draw.integers(LENGTH))
    n = (ids.shape[1] - start) // LENGTH
    rows = ids[:, start : start + n * LENGTH].reshape(2, n, LENGTH)[:, draw.permutation(n)]
    return rows[:, : n // BATCH * BATCH].reshape(2, -1, BATCH, LENGTH).swapaxes(0, 1)


def rate_at(step: int, total: int) -> float:
    """The learning rate: up in WARMUP steps, then down to a tenth along a cosine."""
    if step < WARMUP:
        return RATE * (step + 1) / WARMUP
    share = (step - WARMUP) / max(1, total - WARMUP)
    return RATE * (0.1 + 0.45 * (1 + math.cos(math.pi * share)))


def losses_of(
    model: LlamaForCausalLM, rows: torch.Tensor, reading: torch.nn.Linear, wanted: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean negative log-probability of a token, in nats; mean 1 - cosine of sentences' ends.

    ``wanted`` is (b, l, 384), zeros where no sentence ends.
    """
    with torch.autocast("cpu", torch.bfloat16):
        out = model(input_ids=rows, labels=rows, use_cache=False, output_hidden_states=True)
        read = reading(out.hidden_states[LAYER]).float()
    near = torch.nn.functional.cosine_similarity(read, wanted, dim=-1)
    ends = wanted.abs().sum(-1) > 0
    return out.loss, ((1 - near) * ends).sum() / ends.sum().clamp(min=1)


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
    encoder = EmbeddingBackend(dtype="bfloat16")
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=256, intermediate_size=704, num_hidden_layers=8,
            num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=1024,
            tie_word_embeddings=True, rope_theta=10_000.0, bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        )
    )  # fmt: skip
    with torch.no_grad():
        model.get_input_embeddings().weight.copy_(
            words(tokenizer, encoder, model.config.hidden_size)
        )
    reading = torch.nn.Linear(model.config.hidden_size, 384, bias=False)
    matrices = [one for one in model.model.layers.parameters() if one.ndim > 1]
    scales = [one for one in model.parameters() if one.ndim == 1]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.Muon(matrices, lr=RATE, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(
            [*scales, model.get_input_embeddings().weight, *reading.parameters()],
            lr=RATE, betas=(0.9, 0.95), weight_decay=0.0, fused=True,
        ),
    ]  # fmt: skip
    ids, sentences = stream(given.prose / "train.jsonl", tokenizer)
    (held, _), _ = stream(given.prose / "heldout.jsonl", tokenizer)
    vectors = meanings(sentences, encoder, given.out / "sentences.safetensors")
    vectors = torch.cat([vectors, torch.zeros_like(vectors[:1])])  # the last, -1: none
    epochs = [batches(ids, epoch, given.seed) for epoch in range(given.epochs)]
    total = sum(map(len, epochs))
    done = restored(model, reading, optimizers, given.out)
    size = f"{ids.shape[1]:,} tokens an epoch, {model.num_parameters():,} parameters"
    print(f"{size}, step {done} of {total}", flush=True)
    computed = torch.compile(losses_of, dynamic=False) if given.compile else losses_of
    step, began = 0, time.perf_counter()
    for epoch in epochs:
        for rows in epoch:
            step += 1
            if step <= done:
                continue
            for group in [one for own in optimizers for one in own.param_groups]:
                group["lr"] = rate_at(step - 1, total)
            tokens, ends = torch.from_numpy(rows)
            loss, apart = computed(model, tokens, reading, vectors[ends].float())
            (loss + WEIGHT * apart).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for own in optimizers:
                own.step()
            model.zero_grad(set_to_none=True)
            if step % 50 == 0 or step == total:
                speed = (step - done) * BATCH * LENGTH / (time.perf_counter() - began)
                losses = f"loss {loss.item():.3f} apart {apart.item():.3f}"
                print(f"step {step} {losses} {speed:,.0f} tokens/s", flush=True)
            if step % 200 == 0 or step == total:
                keep(model, reading, optimizers, step, given.out)
    with torch.inference_mode():
        rows = held[: len(held) // LENGTH * LENGTH].reshape(-1, LENGTH)
        losses = [
            model(input_ids=one, labels=one).loss.item() for one in torch.from_numpy(rows)[:, None]
        ]
    print(f"held-out loss {np.mean(losses):.3f}, perplexity {math.exp(np.mean(losses)):.1f}")
    model.to(torch.bfloat16).save_pretrained(given.out / "model")  # half the size on disk
    tokenizer.save_pretrained(given.out / "model")


def words(
    tokenizer: PreTrainedTokenizerBase, encoder: EmbeddingBackend, width: int
) -> torch.Tensor:
    """(v, width): what the in-box encoder makes of each token's text, on its main directions."""
    texts = [tokenizer.decode([one]).strip() for one in range(len(tokenizer))]
    of = {text: place for place, text in enumerate(dict.fromkeys(filter(None, texts)))}
    vectors = torch.tensor(encoder.encode(list(of)))
    vectors = vectors - vectors.mean(0)
    _, _, directions = torch.linalg.svd(vectors, full_matrices=False)
    short = vectors @ directions[:width].T
    short = 0.03 * short / short.pow(2).mean(1, keepdim=True).sqrt()
    found = torch.randn(len(tokenizer), width, generator=torch.Generator().manual_seed(0)) * 0.02
    for place, text in enumerate(texts):
        if text in of:  # words with and without a space before them begin a little apart
            found[place] = 0.2 * found[place] + short[of[text]]
    return found


def keep(
    model: torch.nn.Module,
    reading: torch.nn.Linear,
    optimizers: list[torch.optim.Optimizer],
    step: int,
    out: Path,
) -> None:
    """Write weights and optimizers, each file whole or not at all, the step last."""
    state = {
        f"model.{name}": one for name, one in model.state_dict().items() if name != "lm_head.weight"
    }
    state["reading"] = reading.weight
    for which, optimizer in enumerate(optimizers):
        for place, own in optimizer.state_dict()["state"].items():
            state |= {f"optimizer.{which}.{place}.{name}": one for name, one in own.items()}
    save_file({name: one.contiguous() for name, one in state.items()}, out / "checkpoint.new",
              metadata={"step": str(step)})  # fmt: skip
    (out / "checkpoint.new").replace(out / "checkpoint.safetensors")


def restored(
    model: torch.nn.Module,
    reading: torch.nn.Linear,
    optimizers: list[torch.optim.Optimizer],
    out: Path,
) -> int:
    """Take up the last checkpoint; the number of steps that it has behind it."""
    file = out / "checkpoint.safetensors"
    if not file.is_file():
        return 0
    with safe_open(file, "pt") as opened:
        step = int(opened.metadata()["step"])
    kept = load_file(file)
    own = {
        name.removeprefix("model."): one for name, one in kept.items() if name.startswith("model.")
    }
    model.load_state_dict(own, strict=False)
    with torch.no_grad():
        reading.weight.copy_(kept["reading"])
    states: list[dict[int, dict[str, torch.Tensor]]] = [{} for _ in optimizers]
    for name, one in kept.items():
        if name.startswith("optimizer."):
            _, which, place, what = name.split(".")
            states[int(which)].setdefault(int(place), {})[what] = one
    for optimizer, own in zip(optimizers, states, strict=True):
        optimizer.load_state_dict({**optimizer.state_dict(), "state": own})
    return step


if __name__ == "__main__":
    main()
