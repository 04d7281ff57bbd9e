"""Texts as token ids that fit an encoder, and as padded batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from promptkit.backends.tokens import Tokens
from promptkit.types import Text


def fitted_ids(
    tokens: Tokens, texts: Sequence[Text], max_tokens: int
) -> tuple[list[list[int]], list[int]]:
    """Each text's ids between the tokenizer's own first and last tokens, and characters cut off.

    Text of a row never becomes a control token. What is too long loses its end.
    """
    before, after = tokens.wrapping
    room = max_tokens - len(before) - len(after)
    ids, cut = [], []
    for text, encoded in zip(texts, tokens.encode(texts), strict=True):
        whole = sum(len(piece.text) for piece in text)
        over = len(encoded.ids) > room
        cut.append(whole - encoded.spans[room - 1][1] if over else 0)
        ids.append([*before, *encoded.ids[:room], *after])
    return ids, cut


def padded(tokens: Tokens, rows: Sequence[Sequence[int]], device: Any) -> dict[str, Any]:
    """What an encoder takes: (n, t) ids and mask, padded on the right, on the device."""
    import torch

    tokenizer = tokens.tokenizer
    pad = int(tokenizer.pad_token_id or 0)
    ids = torch.full((len(rows), max(map(len, rows))), pad, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = 1
    found = {"input_ids": ids.to(device), "attention_mask": mask.to(device)}
    if "token_type_ids" in tokenizer.model_input_names:
        found["token_type_ids"] = torch.zeros_like(found["input_ids"])
    return found
