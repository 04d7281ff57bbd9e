"""Whole weights of a tuned model on disk, for ways of tuning that change the model itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from promptkit.strategies.pretrained import Pretrained, load_folder

_MODEL = "model"


def save_whole(base: Pretrained, folder: Path) -> None:
    """Write the model and its tokenizer as transformers does: safetensors, JSON."""
    base.whole.save_pretrained(folder / _MODEL)
    save_tokenizer(base.tokens.tokenizer, folder / _MODEL)


def save_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Write a tokenizer as it was read: how it was asked for is no part of it."""
    for asked in ("is_local", "local_files_only", "trust_remote_code"):
        tokenizer.init_kwargs.pop(asked, None)
    tokenizer.save_pretrained(folder)


def load_whole(facts: Mapping[str, Any], folder: Path) -> Pretrained:
    """Read what `save_whole` wrote.

    Raises:
        BackendError: It cannot be read.
    """
    limit = int(facts["max_tokens"])
    return load_folder(folder / _MODEL, facts["pooling"], limit, torch.float32)
