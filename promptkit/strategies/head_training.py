"""Trains a head by gradient on states that were computed once."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from promptkit.errors import BackendError
from promptkit.protocols import OnStep, Step
from promptkit.strategies.classifier_head import ClassifierHead
from promptkit.strategies.length_batches import length_batches


@dataclass(frozen=True)
class HeadRecipe:
    """How a head is trained.

    Args:
        learning_rate: Of AdamW at the start; falls to 0 along a cosine.
        epochs: Times that every row is seen, at most.
        batch_size: Rows of a step.
        weight_decay: Of AdamW.
        patience: Epochs without a lower held-out loss after which it stops.
        seed: Of the batches; dropout draws from torch's own generator.
    """

    learning_rate: float
    epochs: int
    batch_size: int
    weight_decay: float
    patience: int
    seed: int


@dataclass(frozen=True)
class HeadTraining:
    """How a training went: epochs behind the weights that were kept, and their held-out score."""

    epochs: int
    score: float | None


@dataclass(frozen=True)
class Features:
    """Pooled states (n, w) and the places of their rows' labels (n,)."""

    states: torch.Tensor
    targets: NDArray[np.int64]


def train_head(
    head: ClassifierHead,
    train: Features,
    held: Features | None,
    weights: Sequence[float] | None,
    recipe: HeadRecipe,
    on_step: OnStep,
    until: int | None = None,
) -> HeadTraining:
    """Train in place; with held-out rows, the weights of the epoch that did best on them stay.

    Args:
        head: What is trained.
        train: Rows to learn from.
        held: Rows to see on when to stop, or None to go on to the end.
        weights: (k,) weight of a row of each label, or None.
        recipe: How.
        on_step: Told after every epoch.
        until: Epoch to stop after, the learning rate falling as if more were to come.

    Raises:
        BackendError: The loss is no number any more.
    """
    targets = torch.from_numpy(train.targets)
    by_label = torch.tensor(weights) if weights is not None else None
    criterion = torch.nn.CrossEntropyLoss(weight=by_label)
    optimizer = torch.optim.AdamW(
        head.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    per_epoch = -(-len(targets) // recipe.batch_size)
    total = per_epoch * recipe.epochs
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total)
    best = _Best()
    last = recipe.epochs if until is None else until
    for epoch in range(last):
        head.train()
        losses = []
        for batch in length_batches([1] * len(targets), recipe.batch_size, recipe.seed, epoch):
            loss = criterion(head(train.states[batch]), targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        head.eval()
        mean = float(np.mean(losses))
        if not np.isfinite(mean):
            raise BackendError("the head's loss is no number", hint="lower learning_rate")
        score = best.look(head, held, epoch) if held is not None else None
        on_step(Step((epoch + 1) * per_epoch, total, mean, score))
        if held is not None and epoch - best.epoch >= recipe.patience:
            break
    if held is None:
        return HeadTraining(last, None)
    head.load_state_dict(best.state)
    return HeadTraining(best.epoch + 1, best.score)


class _Best:
    """The weights with the lowest held-out loss.

    Not the highest accuracy: of twenty held-out rows many epochs get the same number right, and
    the loss tells them apart.
    """

    def __init__(self) -> None:
        self.loss, self.epoch, self.score = float("inf"), 0, 0.0
        self.state: dict[str, torch.Tensor] = {}

    @torch.no_grad()
    def look(self, head: ClassifierHead, held: Features, epoch: int) -> float:
        logits, targets = head(held.states), torch.from_numpy(held.targets)
        loss = float(torch.nn.functional.cross_entropy(logits, targets))
        score = float((logits.argmax(1) == targets).float().mean())
        if loss < self.loss:
            self.loss, self.epoch, self.score = loss, epoch, score
            self.state = copy.deepcopy(head.state_dict())
        return score
