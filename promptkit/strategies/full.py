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
from promptkit.strategies.whole_weights import load_whole, save_whole


class Full(FineTuning):
    """Trains all weights. The arguments are those of `FineTuning`."""

    name = "full"

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
