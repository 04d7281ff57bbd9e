"""A pre-trained network, pooling, and a head: what fine-tuning trains as one module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from promptkit.strategies.classifier_head import ClassifierHead
from promptkit.strategies.pooling import Pooling
from promptkit.strategies.pretrained import states_of


class PooledClassifier(nn.Module):
    """(n, k) logits of (n, t) token ids.

    Its ``state_dict`` holds what is trained and the head, and nothing that is frozen: a checkpoint
    of an adapter is as small as the adapter, and the frozen rest comes from the model's folder.

    Args:
        network: Gives states; those of its parameters that are to be trained require gradients.
        pooling: How states become one vector.
        head: From that vector to logits.
        class_weights: (k,) weight of a row of each label in the loss, or None.
    """

    class_weights: torch.Tensor | None

    def __init__(
        self,
        network: Any,
        pooling: Pooling,
        head: ClassifierHead,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.network, self.pooling, self.head = network, pooling, head
        weights = torch.tensor(class_weights) if class_weights is not None else None
        self.register_buffer("class_weights", weights, persistent=False)
        self.register_state_dict_post_hook(_leave_frozen_out)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_post_hook(_miss_nothing_frozen)  # type: ignore[no-untyped-call]

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        labels: torch.Tensor | None = None,
        starts: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """``logits``, and the mean ``loss`` where there are ``labels``.

        Labels are (n,) places; (n, k) numbers of 0 and 1, where a row may have several; or of
        words (n, m) places, -100 where a row has no more, with (n, m) ``starts``.
        """
        features = states_of(self.network, input_ids, attention_mask, self.pooling, starts)
        logits = self.head(features)
        if labels is None:
            return {"logits": logits}
        if labels.is_floating_point():
            loss = nn.functional.binary_cross_entropy_with_logits(logits, labels)
            return {"loss": loss, "logits": logits}
        loss = nn.functional.cross_entropy(
            logits.flatten(0, -2), labels.flatten(), weight=self.class_weights
        )
        return {"loss": loss, "logits": logits}

    def take(self, state: Mapping[str, torch.Tensor]) -> None:
        """Load what `state_dict` gave; the frozen rest stays as it is."""
        unknown = self.load_state_dict(dict(state), strict=False).unexpected_keys
        if unknown:
            raise RuntimeError(f"the state has {unknown[0]!r}, which this classifier lacks")

    def trained(self) -> int:
        """Parameters that are trained, those of the head among them."""
        return sum(one.numel() for one in self.parameters() if one.requires_grad)


def _leave_frozen_out(
    module: nn.Module, state: dict[str, Any], prefix: str, local_metadata: object
) -> None:
    for name in _frozen(module):
        state.pop(prefix + name, None)


def _miss_nothing_frozen(module: nn.Module, found: Any) -> None:
    """What a state leaves out on purpose is not missing; the Trainer would complain of it."""
    frozen = _frozen(module)
    found.missing_keys[:] = [name for name in found.missing_keys if name not in frozen]


def _frozen(module: nn.Module) -> set[str]:
    """Names of what is not trained: parameters without gradients, and buffers of the network."""
    # by all of their names: VeRA's matrices are one, and stand in every layer
    parameters = module.named_parameters(remove_duplicate=False)
    buffers = module.named_buffers(remove_duplicate=False)
    frozen = {name for name, one in parameters if not one.requires_grad}
    return frozen | {name for name, _ in buffers if not name.startswith("head.")}
