"""Prompts that are no text: vectors that a model reads before all tokens (Lester et al. 2021).

On disk they are an adapter of peft's kind PROMPT_TUNING. In a model they are rows behind the last
one of its embedding, so that they have token ids and everything that plans, shares and scores ids
works on them as on text. What the model predicts is still its own vocabulary.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from promptkit.backends.tokens import Tokens
from promptkit.errors import BackendError

_FILE, _NAME = "adapter_model.safetensors", "prompt_embeddings"


class SoftEmbedding(nn.Module):
    """A model's embedding with vectors of a soft prompt behind its last row.

    They are kept in units of the embedding's own size, so that one learning rate fits every model.

    Args:
        base: The model's embedding.
        soft: (v, w) what the model's first layer is to read.
    """

    scale: torch.Tensor

    def __init__(self, base: nn.Embedding, soft: torch.Tensor) -> None:
        super().__init__()
        self.base = base
        size = soft.float().pow(2).mean().sqrt().clamp(min=1e-8)
        self.register_buffer("scale", size)
        self.soft = nn.Parameter(soft.float() / size)

    @property
    def weight(self) -> torch.Tensor:
        """(n, w) of the vocabulary alone."""
        return self.base.weight

    def vectors(self) -> torch.Tensor:
        """(v, w) the soft prompt."""
        return self.soft * self.scale

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """(..., w) of (...) ids; those from n on are the soft prompt's."""
        n = len(self.base.weight)
        own = ids >= n
        found = self.base(ids.masked_fill(own, 0))
        soft = self.vectors().to(found.dtype)[(ids - n).clamp(min=0)]
        return torch.where(own.unsqueeze(-1), soft, found)


def attach(model: Any, tokens: Tokens, soft: torch.Tensor) -> SoftEmbedding:
    """Let every prompt of a causal model begin with vectors.

    Args:
        model: A causal model of transformers; changed in place.
        tokens: Its tokenizer, which from now on puts their ids before each prompt.
        soft: (v, w) vectors.

    Raises:
        BackendError: Vectors of another width.
    """
    base = model.get_input_embeddings()
    width = base.weight.shape[1]
    if soft.ndim != 2 or soft.shape[1] != width:
        raise BackendError(
            f"the soft prompt has vectors of {soft.shape[-1]} numbers, and the model reads {width}",
            hint="give the model that it was trained on",
        )
    made = SoftEmbedding(base, soft.to(base.weight.device))
    model.set_input_embeddings(made)
    n = len(base.weight)
    tokens.lead = tuple(range(n, n + len(soft)))
    return made


def read_soft(folder: Path) -> torch.Tensor:
    """(v, w) the soft prompt of an adapter's folder.

    Raises:
        BackendError: It cannot be read, or holds something else.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        soft = load_file(folder / _FILE)[_NAME]
        if soft.ndim != 2 or not bool(soft.isfinite().all()):
            raise ValueError("its vectors are no finite numbers")
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise BackendError(
            f"{folder / _FILE}: holds no soft prompt ({error})", hint="train it again"
        ) from error
    return soft


def write_soft(folder: Path, soft: torch.Tensor, model: Any, name: str) -> None:
    """Write a soft prompt as peft does.

    Args:
        folder: Where to; it is made.
        soft: (v, w) vectors.
        model: The model that reads them.
        name: What it is called.
    """
    from peft import PromptTuningConfig
    from safetensors.torch import save_file

    config = model.config.get_text_config()
    folder.mkdir(parents=True, exist_ok=True)
    PromptTuningConfig(
        task_type="CAUSAL_LM",
        num_virtual_tokens=len(soft),
        token_dim=soft.shape[1],
        num_transformer_submodules=1,
        num_attention_heads=config.num_attention_heads,
        num_layers=config.num_hidden_layers,
        base_model_name_or_path=name,
        inference_mode=True,
    ).save_pretrained(str(folder))
    save_file({_NAME: soft.detach().float().cpu().contiguous()}, folder / _FILE)
