"""Pooled states of texts, from a network that is not trained meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch

from promptkit.backends.hf_passes import Passes
from promptkit.backends.memory import token_bytes
from promptkit.backends.meter import Meter
from promptkit.strategies.pretrained import Pretrained, WordIds, states_of


class FrozenStates:
    """Sends rows through a network in batches of similar length.

    Args:
        pretrained: The network.
        device: Where it lies.
        dtype: What float32 weights are cast to on their way; None computes in the weights' own.
        meter: Counts the computed positions.
    """

    def __init__(self, pretrained: Pretrained, device: Any, dtype: Any, meter: Meter) -> None:
        self.pretrained, self.device, self.dtype = pretrained, device, dtype
        self._passes = Passes(device, "auto", meter, token_bytes(pretrained.network))

    def of(self, ids: Sequence[Sequence[int]]) -> torch.Tensor:
        """(n, w) float32 on the CPU, in the order of the rows; of words all, row after row."""
        if not ids:
            return torch.empty(0, self.pretrained.width)
        self.pretrained.network.eval()
        found = self._passes.each(ids, len, self._forward)
        return torch.cat(found) if found[0].ndim > 1 else torch.stack(found)

    def _forward(self, rows: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        batch = self.pretrained.batch(rows, self.device)
        with self._casting():
            found = states_of(
                self.pretrained.network,
                batch["input_ids"],
                batch["attention_mask"],
                self.pretrained.pooling,
                batch.get("starts"),
            )
        self._passes.computed(batch["input_ids"].numel())
        own = list(found.cpu())
        return [
            states[: len(row.starts)] if isinstance(row, WordIds) else states
            for row, states in zip(rows, own, strict=True)
        ]

    def _casting(self) -> Any:
        if self.dtype in (None, torch.float32):
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)
