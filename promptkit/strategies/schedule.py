"""The optimizer of fine-tuning: learning rates by depth, warm-up, linear decay, unfreezing."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from promptkit.strategies.layers import layers_of
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
    epochs: int = 1,
    layer_decay: float = 1.0,
    gradual: bool = False,
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
        epochs: Epochs in all.
        layer_decay: What a layer's rate is of that of the layer above it.
        gradual: Whether layers join one after the other; see `first_epoch`.
    """
    by_depth = layer_decay != 1 or gradual
    below, n_layers = depths(classifier) if by_depth else ({}, 0)
    groups: dict[tuple[bool, bool, int], list[Any]] = {}
    for name, parameter in classifier.named_parameters():
        if parameter.requires_grad:
            of_head = name.startswith("head.")
            depth = 0 if of_head else below.get(id(parameter), 0)
            groups.setdefault((of_head, parameter.dim() > 1, depth), []).append(parameter)
    optimizer = torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": head_learning_rate if of_head else learning_rate * layer_decay**depth,
                "weight_decay": weight_decay if matrix else 0.0,
            }
            for (of_head, matrix, depth), parameters in groups.items()
        ]
    )
    rising, a_epoch = round(warmup * total), total / epochs

    def share(step: int, joins: int) -> float:
        return 0.0 if step < joins * a_epoch else share_of_rate(step, rising, total)

    joining = [
        first_epoch(depth, n_layers, epochs) if gradual and not of_head else 0
        for of_head, _, depth in groups
    ]
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, [partial(share, joins=joins) for joins in joining]
    )
    return optimizer, schedule


def depths(classifier: PooledClassifier) -> tuple[dict[int, int], int]:
    """How many layers stand above each parameter, by its id, and how many layers there are.

    What stands above all layers, such as a last norm, has 0 as the top layer has; embeddings have
    as many as there are layers.
    """
    layers = layers_of(classifier.network)
    found = {
        id(parameter): len(layers) - 1 - place
        for place, layer in enumerate(layers)
        for parameter in layer.parameters()
    }
    for name, parameter in classifier.network.named_parameters():
        if "embed" in name:
            found.setdefault(id(parameter), len(layers))
    return found, len(layers)


def first_epoch(depth: int, n_layers: int, epochs: int) -> int:
    """The epoch from which a layer is trained when layers are unfrozen one after the other.

    The head alone learns in the first epoch, the top layer joins in the second, and so on (Howard
    and Ruder 2018). Where there are fewer epochs than layers, several join at a time, so that all
    of them learn in the last one.

    Args:
        depth: Layers above it; ``n_layers`` for embeddings.
        n_layers: How many there are.
        epochs: Epochs in all.
    """
    place, places = depth + 1, n_layers + 1  # the head is place 0
    if epochs > places:
        return place
    return -(-place * (epochs - 1) // places)
