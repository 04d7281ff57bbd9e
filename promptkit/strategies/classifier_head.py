"""The new head: from a row's pooled state to its labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from promptkit.errors import StoreError
from promptkit.strategies.linear_heads import quietly

#: Inverse strength of the regularisation of the logistic regression that a head starts from, for
#: a feature of variance 1; it is divided by the number of features.
_START_C = 16.0


class ClassifierHead(nn.Module):
    """Standardises each feature, as the training rows have them, and maps them to logits.

    Standardised features make one learning rate fit every model: the states of GPT-2 have some
    hundreds of times the variance of MiniLM's, and most of it in few dimensions.

    Args:
        width: Features.
        k: Labels.
        hidden: Units of a hidden layer; 0 for a linear head.
        dropout: Share of the features that a training step leaves out.
    """

    center: torch.Tensor
    scale: torch.Tensor

    def __init__(self, width: int, k: int, hidden: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(width, hidden) if hidden else None
        self.out = nn.Linear(hidden or width, k)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(n, k) logits of (n, w) pooled states."""
        rows = self.dropout((features.float() - self.center) * self.scale)
        if self.hidden is not None:
            rows = self.dropout(nn.functional.gelu(self.hidden(rows)))
        logits: torch.Tensor = self.out(rows)
        return logits.float()

    def standardise(self, features: torch.Tensor) -> None:
        """Take mean and spread of (n, w) features; one that never varies is left out of account."""
        spread = features.std(0, unbiased=False)
        varies = spread > 1e-6 * spread.max().clamp(min=1e-12)
        self.center.copy_(features.mean(0))
        self.scale.copy_(torch.where(varies, 1 / spread.clamp(min=1e-12), 0.0))

    def start_from_features(
        self, features: torch.Tensor, targets: NDArray[Any], weights: Sequence[float] | None
    ) -> None:
        """Fit a linear head on frozen features by logistic regression, before anything is tuned.

        Tuning from a random head first bends the pre-trained features towards that head's noise;
        from a fitted head it does not (Kumar et al. 2022, linear probing then fine-tuning).

        Args:
            features: (n, w) pooled states of the training rows.
            targets: (n,) places of their labels, of which at least two occur; or (n, k) numbers of
                0 and 1 where rows may have several.
            weights: (k,) weight of a row of each label, or None.
        """
        from sklearn.linear_model import LogisticRegression

        self.standardise(features)
        rows = ((features - self.center) * self.scale).double().numpy()
        if targets.ndim == 2:
            self._start_each(rows, targets.astype(np.float64))
            return
        by_label = dict(enumerate(weights)) if weights is not None else None
        start = LogisticRegression(
            C=_START_C / rows.shape[1], max_iter=200, tol=1e-3, class_weight=by_label
        )
        probe = quietly(start.fit, rows, targets)
        slopes, offsets = torch.from_numpy(probe.coef_), torch.from_numpy(probe.intercept_)
        if len(slopes) == 1:  # of two labels: how the second differs from the first
            slopes, offsets = torch.cat([-slopes, slopes]) / 2, torch.cat([-offsets, offsets]) / 2
        there = torch.from_numpy(probe.classes_)
        with torch.no_grad():
            # a label of held-out rows alone begins below all others, whatever the features
            self.out.weight.zero_()
            self.out.bias.fill_(float(offsets.min()) - 1)
            self.out.weight[there] = slopes.to(self.out.weight.dtype)
            self.out.bias[there] = offsets.to(self.out.bias.dtype)

    def _start_each(self, rows: NDArray[np.float64], targets: NDArray[np.float64]) -> None:
        """A logistic regression for each label; of one that all rows have, or none, their share."""
        from sklearn.linear_model import LogisticRegression

        for place, own in enumerate(targets.T):
            share = (own.sum() + 1) / (len(own) + 2)
            slopes, offset = np.zeros(rows.shape[1]), np.log(share / (1 - share))
            if 0 < own.sum() < len(own):
                start = LogisticRegression(C=_START_C / rows.shape[1], max_iter=200, tol=1e-3)
                probe = quietly(start.fit, rows, own)
                slopes, offset = probe.coef_[0], probe.intercept_[0]
            with torch.no_grad():
                self.out.weight[place] = torch.from_numpy(slopes)
                self.out.bias[place] = float(offset)

    def save(self, file: Path) -> None:
        """Write it as safetensors."""
        from safetensors.torch import save_file

        save_file({name: one.contiguous().cpu() for name, one in self.state_dict().items()}, file)

    @classmethod
    def load(cls, file: Path) -> ClassifierHead:
        """Read what `save` wrote; its shape says width, labels and hidden units.

        Raises:
            StoreError: The file is missing or broken.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            state = load_file(file)
            hidden = len(state["hidden.bias"]) if "hidden.bias" in state else 0
            head = cls(len(state["center"]), len(state["out.bias"]), hidden)
            head.load_state_dict(state)
        except (OSError, KeyError, RuntimeError, SafetensorError) as error:
            raise StoreError(f"{file}: cannot be read ({error}); save the model again") from error
        return head.eval()
