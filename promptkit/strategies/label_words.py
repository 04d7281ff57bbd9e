"""Learned label words: of a model's output only the rows of the answers' own tokens move.

That is a verbalizer that is trained (Hambardzumyan et al. 2021), and on disk peft's adapter of kind
TRAINABLE_TOKENS. Where the output is tied to the embedding, the words are read as they are written.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from promptkit.backends.adapter import TIED


class LabelWords:
    """Lets the output's rows of some tokens learn, and nothing else.

    Args:
        model: A causal model; changed in place.
        tokens: Ids of the tokens.
    """

    def __init__(self, model: Any, tokens: Sequence[int]) -> None:
        self.model, self.tokens = model, list(tokens)
        model.requires_grad_(False)
        weight = model.get_output_embeddings().weight
        weight.requires_grad_(True)
        own = torch.zeros(len(weight), 1, device=weight.device)
        own[self.tokens] = 1.0
        weight.register_hook(lambda gradient: gradient * own.to(gradient.dtype))

    @property
    def n_numbers(self) -> int:
        """How many numbers learn."""
        return len(self.tokens) * int(self.model.get_output_embeddings().weight.shape[1])

    def save(self, folder: Path, name: str) -> None:
        """Write the rows as peft does.

        Args:
            folder: Where to.
            name: What the model is called.
        """
        from peft import TrainableTokensConfig, get_peft_model

        output, embedding = self.model.get_output_embeddings(), self.model.get_input_embeddings()
        # peft looks after both where they are tied
        part = embedding if output.weight is embedding.weight else output
        config = TrainableTokensConfig(
            task_type="CAUSAL_LM",
            token_indices=self.tokens,
            target_modules=[key for key, one in self.model.named_modules() if one is part],
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", TIED)
            wrapped = get_peft_model(self.model, config)
        wrapped.peft_config["default"].base_model_name_or_path = name
        wrapped.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)
        wrapped.unload()
