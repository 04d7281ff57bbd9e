"""A small Llama that has learned prompts of in-box rows by heart, in about a minute on two cores.

It is trained on two tasks over the same rows that differ only in their instruction: name the
sentiment, or name the opposite. So a swapped label, a token shifted by one, a doubled BOS or a
lost instruction shows as accuracy near chance. Its prompts are written here as plain strings,
encoded by the tokenizer alone: nothing of promptkit's own encoding is taken for granted.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from promptkit.box import box
from tests.tiny import tokenizer_of

LABELS = ("negative", "neutral", "positive")
ROWS = 60
#: What the model learns; the same strings as in the template below.
TASKS = {
    "same": ("Name the sentiment.", {label: label for label in LABELS}),
    "turned": (
        "Name the opposite.",
        {"negative": "positive", "neutral": "neutral", "positive": "negative"},
    ),
}
TEMPLATE = """\
name: trained_{task}
description: What the small Llama of the tests has learned.
data: customer_reviews
task:
  fields: [text]
instruction: {instruction}
query: "Review: {{{{ text }}}}\\nSentiment:"
labels:
{labels}
"""


def template_text(task: str) -> str:
    """The template file of a task; its gold labels stay those of the rows."""
    instruction, words = TASKS[task]
    labels = "\n".join(f"  {label}: {{words: [{word}]}}" for label, word in words.items())
    return TEMPLATE.format(task=task, instruction=instruction, labels=labels)


def rows() -> list[dict[str, str]]:
    """The rows that it has learned."""
    file = box("evals") / "data" / "customer_reviews" / "train.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()[:ROWS]]


def sequences(tokenizer: object) -> tuple[torch.Tensor, torch.Tensor]:
    """(n, t) ids and targets: the answer counts fully, and nothing else."""
    ids, targets = [], []
    for instruction, words in TASKS.values():
        for row in rows():
            prompt = f"{instruction}\n\nReview: {row['text']}\nSentiment:"
            whole = tokenizer(f"{prompt} {words[row['label']]}")["input_ids"]
            start = len(tokenizer(prompt)["input_ids"])
            ids.append(whole)
            targets.append([-100] * start + whole[start:])
    width = max(map(len, ids))
    pad = [[0] * (width - len(one)) for one in ids]
    none = [[-100] * (width - len(one)) for one in ids]
    return (
        torch.tensor([a + b for a, b in zip(ids, pad, strict=True)]),
        torch.tensor([a + b for a, b in zip(targets, none, strict=True)]),
    )


def save_trained(folder: Path) -> Path:
    """Train and save it; a head is 32 wide, the least that vLLM computes on a CPU."""
    torch.manual_seed(0)
    tokenizer = tokenizer_of("llama")
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=96, intermediate_size=192, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=32, max_position_embeddings=512,
        bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    ids, targets = sequences(tokenizer)
    steps, batch = 400, 24
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    order = torch.Generator().manual_seed(0)
    for _ in range(steps):
        chosen = torch.randperm(len(ids), generator=order)[:batch]
        width = int((ids[chosen] != 0).sum(1).max())
        loss = model(input_ids=ids[chosen, :width], labels=targets[chosen, :width]).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if loss.item() < 2e-3:
            break
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
