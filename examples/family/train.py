"""A family of small models: one architecture, three objectives, two domains, equal compute.

    python examples/family/train.py DATA OUT [--steps 1500] [--only causal-prose,...] [--seed 0]

DATA holds `prose` and the training texts of sst2, cr, trec, banking77 and tweet_sentiment (their
labels are not read). OUT gets one tokenizer for all and a folder for each of the six models, each
an ordinary model of transformers. All are the same four layers (RoBERTa's, normalised before each
part) with the same start; a step reads the same number of tokens. What differs is what is asked:

- causal: the next token, from the left alone (the attention is masked);
- masked: 30% of the tokens: 80% of these hidden, 10% replaced, 10% left (Devlin et al. 2019);
- denoising: every token, of a text in which 30% are replaced and neighbours are swapped.

A model whose folder is there is not trained again.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import (
    PreTrainedTokenizerFast,
    RobertaPreLayerNormConfig,
    RobertaPreLayerNormForCausalLM,
    RobertaPreLayerNormForMaskedLM,
)

OBJECTIVES = ("causal", "masked", "denoising")
TASKS = ("sst2", "cr", "trec", "banking77", "tweet_sentiment")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY, WIDTH, LAYERS, LENGTH, BATCH = 8192, 192, 4, 64, 32
RATE, WARMUP = 2e-3, 60
#: What part of the tokens is hidden or replaced; for a short training more than 15% (Wettig 2023).
CORRUPTED = 0.3


def texts_of(data: Path, domain: str) -> list[str]:
    """Texts without labels: paragraphs of novels, or the training texts of the tasks."""
    folders = ["prose"] if domain == "prose" else list(TASKS)
    found = []
    for folder in folders:
        lines = (data / folder / "train.jsonl").read_text(encoding="utf-8").split("\n")
        found += [json.loads(line)["text"] for line in lines if line]
    return [text for text in found if text.strip()]


def make_tokenizer(data: Path, folder: Path) -> PreTrainedTokenizerFast:
    """One WordPiece vocabulary, learned on equal amounts of both domains."""
    if not folder.is_dir():
        tasks, prose = (texts_of(data, domain) for domain in ("tasks", "prose"))
        room = sum(map(len, tasks))
        ends = np.cumsum([len(text) for text in prose])
        made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        made.normalizer = normalizers.BertNormalizer(lowercase=True)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        made.decoder = decoders.WordPiece()
        trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=list(SPECIAL))
        made.train_from_iterator(tasks + prose[: int(np.searchsorted(ends, room))], trainer)
        made.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            pair="[CLS] $A [SEP] $B [SEP]",
            special_tokens=[(one, made.token_to_id(one)) for one in ("[CLS]", "[SEP]")],
        )
        PreTrainedTokenizerFast(
            tokenizer_object=made, model_max_length=256, pad_token="[PAD]", unk_token="[UNK]",
            cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]",
        ).save_pretrained(folder)  # fmt: skip
    return PreTrainedTokenizerFast.from_pretrained(folder)


def stream(texts: list[str], tokenizer: PreTrainedTokenizerFast) -> np.ndarray:
    """Token ids of all texts, an end behind each."""
    ids = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return np.array([token for own in ids for token in (*own, tokenizer.sep_token_id)], np.int64)


def drawn(ids: np.ndarray, draw: np.random.Generator, first: int) -> torch.Tensor:
    """(BATCH, LENGTH) windows from anywhere, each with the first token before it."""
    starts = draw.integers(len(ids) - LENGTH, size=BATCH)
    rows = ids[starts[:, None] + np.arange(LENGTH - 1)]
    return torch.tensor(np.concatenate([np.full((BATCH, 1), first), rows], axis=1))


def corrupted(
    rows: torch.Tensor, objective: str, mask: int, draw: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """What a model reads, and what it is to say of each token; -100 for nothing."""
    read, say = rows.clone(), rows.clone()
    say[:, 0] = -100
    if objective == "causal":
        return read, say
    chosen = torch.tensor(draw.random(rows.shape) < CORRUPTED)
    chosen[:, 0] = False
    others = torch.tensor(draw.integers(len(SPECIAL), VOCABULARY, size=tuple(rows.shape)))
    if objective == "masked":
        kind = torch.tensor(draw.random(rows.shape))
        read[chosen & (kind < 0.8)] = mask
        replaced = chosen & (kind >= 0.8) & (kind < 0.9)
        read[replaced] = others[replaced]
        say[~chosen] = -100
        return read, say
    read[chosen] = others[chosen]
    swapped = torch.tensor(draw.random(rows.shape) < CORRUPTED / 2)
    swapped[:, 0] = swapped[:, -1] = False
    swapped[:, 1:] &= ~swapped[:, :-1]
    after = torch.roll(swapped, 1, dims=1)
    read[swapped], read[after] = read[after], read[swapped]
    return read, say


def train(
    objective: str, ids: np.ndarray, tokenizer: PreTrainedTokenizerFast, steps: int, seed: int
) -> tuple[torch.nn.Module, float]:
    """A model, and its loss over the last fifty steps in nats a token."""
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    causal = objective == "causal"
    config = RobertaPreLayerNormConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=4,
        intermediate_size=4 * WIDTH, max_position_embeddings=258, type_vocab_size=1,
        pad_token_id=tokenizer.pad_token_id, bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id, is_decoder=causal,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    kind = RobertaPreLayerNormForCausalLM if causal else RobertaPreLayerNormForMaskedLM
    model = kind(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01, fused=True)
    losses, began = [], time.perf_counter()
    for step in range(steps):
        share = max(0.0, (step - WARMUP) / max(1, steps - WARMUP))
        rate = min((step + 1) / WARMUP, 0.5 * (1 + math.cos(math.pi * share)))
        for group in optimizer.param_groups:
            group["lr"] = RATE * rate
        rows = drawn(ids, draw, tokenizer.cls_token_id)
        read, say = corrupted(rows, objective, tokenizer.mask_token_id, draw)
        # the output is computed where there is something to say, and the next token is the target
        # of a causal model: its loss is made here, so that all three are made alike
        with torch.autocast("cpu", torch.bfloat16):
            states = model.roberta_prelayernorm(input_ids=read).last_hidden_state
            if causal:
                states, say = states[:, :-1], say[:, 1:]
            told = say != -100
            logits = model.lm_head(states[told])
        loss = torch.nn.functional.cross_entropy(logits.float(), say[told])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        if step % 100 == 99:
            pace = (step + 1) * BATCH * LENGTH / (time.perf_counter() - began)
            told_ = f"step {step + 1}: loss {np.mean(losses[-50:]):.3f}, {pace:.0f} tokens a second"
            print(told_, flush=True)
    return model.eval(), float(np.mean(losses[-50:]))


def main() -> None:
    """Train what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(given.data, given.out / "tokenizer")
    for domain in ("tasks", "prose"):
        ids = stream(texts_of(given.data, domain), tokenizer)
        for objective in OBJECTIVES:
            name = f"{objective}-{domain}"
            folder = given.out / name
            if folder.is_dir() or (given.only and name not in given.only.split(",")):
                continue
            print(f"{name}: {len(ids):,} tokens in the corpus", flush=True)
            began = time.perf_counter()
            model, loss = train(objective, ids, tokenizer, given.steps, given.seed)
            unfinished = folder.with_suffix(".part")
            model.save_pretrained(unfinished)
            tokenizer.save_pretrained(unfinished)
            unfinished.rename(folder)
            print(f"{name}: loss {loss:.3f}, {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
