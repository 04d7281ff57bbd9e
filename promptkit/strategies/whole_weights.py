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
    base.tokens.tokenizer.save_pretrained(folder / _MODEL)


def load_whole(facts: Mapping[str, Any], folder: Path) -> Pretrained:
    """Read what `save_whole` wrote.

    Raises:
        BackendError: It cannot be read.
    """
    limit = int(facts["max_tokens"])
    return load_folder(folder / _MODEL, facts["pooling"], limit, torch.float32)
