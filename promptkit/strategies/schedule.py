"""The optimizer of fine-tuning: two learning rates, warm-up and linear decay."""

from __future__ import annotations

from typing import Any

import torch

from promptkit.strategies.pooled_classifier import PooledClassifier


def share_of_rate(step: int, warmup: int, total: int) -> float:
    """The share of the learning rate at a step: up to 1 in ``warmup`` steps, then down to 0.

    >>> [share_of_rate(step, 2, 6) for step in (0, 1, 2, 4, 6)]
    [0.5, 1.0, 1.0, 0.5, 0.0]
    """
    if step < warmup:
        return (step + 1) / warmup
    return max(0.0, (total - step) / max(1, total - warmup))


def optimizer_of(
    classifier: PooledClassifier,
    *,
    learning_rate: float,
    head_learning_rate: float,
    weight_decay: float,
    warmup: float,
    total: int,
) -> tuple[torch.optim.AdamW, torch.optim.lr_scheduler.LambdaLR]:
    """AdamW and its schedule over what the classifier trains.

    Biases and norms are not decayed, for a norm's weight is at home at 1 and not at 0.

    Args:
        classifier: What is trained.
        learning_rate: Of the network's weights.
        head_learning_rate: Of the head's.
        weight_decay: Of matrices.
        warmup: Share of the steps in which the rate rises.
        total: Steps in all.
    """
    groups: dict[tuple[bool, bool], list[Any]] = {}
    for name, parameter in classifier.named_parameters():
        if parameter.requires_grad:
            key = name.startswith("head."), parameter.dim() > 1
            groups.setdefault(key, []).append(parameter)
    optimizer = torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": head_learning_rate if of_head else learning_rate,
                "weight_decay": weight_decay if matrix else 0.0,
            }
            for (of_head, matrix), parameters in groups.items()
        ]
    )
    rising = round(warmup * total)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: share_of_rate(step, rising, total)
    )
    return optimizer, schedule
