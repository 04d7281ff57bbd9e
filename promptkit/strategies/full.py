"""Full fine-tuning: every weight of the model is trained (Devlin et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from promptkit.backends.weights import Located
from promptkit.strategies.fine_tuning import FineTuning, Way
from promptkit.strategies.frozen_states import FrozenStates
from promptkit.strategies.pretrained import Pretrained, load_located
from promptkit.strategies.reading import Reading
from promptkit.strategies.whole_weights import load_whole, save_whole
from promptkit.types import Scalar


class Full(FineTuning):
    """Trains all weights. The arguments are those of `FineTuning`."""

    name = "full"

    def __init__(
        self,
        labels: Sequence[Scalar],
        reading: Reading,
        *,
        model: str = "minilm",
        learning_rate: float = 1e-4,
        head_learning_rate: float = 1e-3,
        epochs: int = 6,
        batch_size: int = 16,
        weight_decay: float = 0.01,
        warmup: float = 0.1,
        dropout: float = 0.1,
        held_out: float = 0.1,
        patience: int = 3,
        class_weights: str = "none",
        max_tokens: int = 512,
        precision: str = "auto",
        seed: int = 0,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        super().__init__(
            labels,
            reading,
            model=model,
            learning_rate=learning_rate,
            head_learning_rate=head_learning_rate,
            epochs=epochs,
            batch_size=batch_size,
            weight_decay=weight_decay,
            warmup=warmup,
            dropout=dropout,
            held_out=held_out,
            patience=patience,
            class_weights=class_weights,
            max_tokens=max_tokens,
            precision=precision,
            seed=seed,
            device=device,
            dtype=dtype,
        )

    def _way(self) -> Way:
        return AllWeights()


class AllWeights:
    """Every weight requires gradients; see `Way`."""

    def load(self, located: Located, max_tokens: int, dtype: Any) -> Pretrained:
        """In float32 whatever the dtype: steps of 1e-5 vanish in bfloat16's eight bits."""
        return load_located(located, max_tokens, torch.float32)

    def open(self, base: Pretrained) -> None:
        """All of the network; of an encoder-decoder model that is its encoder."""
        base.network.requires_grad_(True)

    def check(self, base: Pretrained, states: FrozenStates, ids: Sequence[Sequence[int]]) -> None:
        """Nothing that could be left out: the weights are the model's own."""

    def save(self, base: Pretrained, folder: Path) -> None:
        """The whole model."""
        save_whole(base, folder)

    def restore(self, located: Located, facts: Mapping[str, Any], folder: Path) -> Pretrained:
        """The whole model, from the folder alone."""
        return load_whole(facts, folder)
