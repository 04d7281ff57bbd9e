"""Looks on while the Trainer trains: reports steps, keeps the best weights, says when to stop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from promptkit.errors import BackendError
from promptkit.protocols import OnStep, Step
from promptkit.strategies.checkpoints import Best, mark_whole
from promptkit.strategies.pooled_classifier import PooledClassifier


class Watch(TrainerCallback):  # type: ignore[misc]
    """Keeps the weights with the best held-out score in memory, and in every checkpoint.

    The best is the highest accuracy, and of equal ones the lowest loss. The loss alone would stop
    too early: a tuned model grows too sure of itself long before it stops getting better.

    The Trainer's own way of keeping the best writes a whole checkpoint with the optimizer's state
    to disk after every epoch; for a few hundred rows that takes longer than the training.

    Args:
        classifier: What is trained.
        patience: Epochs without a better held-out score after which training stops.
        best: The best so far, for a training that is taken up again.
        on_step: Told about every step.
    """

    def __init__(
        self, classifier: PooledClassifier, patience: int, best: Best, on_step: OnStep
    ) -> None:
        self.classifier, self.patience, self.best = classifier, patience, best
        self.on_step_done = on_step
        self.loss: float | None = None
        self.score: float | None = None

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **_: Any
    ) -> None:
        """Called after every step, for every one is logged.

        Raises:
            BackendError: The loss is no number any more.
        """
        if logs is None or "loss" not in logs:
            return
        self.loss = float(logs["loss"])
        if not math.isfinite(self.loss):
            raise BackendError(
                f"the loss of step {state.global_step} is {self.loss}",
                hint="lower learning_rate, or train with precision: float32",
            )
        self.on_step_done(Step(state.global_step, state.max_steps, self.loss, self.score))

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Mapping[str, float], **_: Any
    ) -> None:
        """Called at the end of an epoch, when there are held-out rows."""
        epoch = round(state.epoch)
        self.score = float(metrics["eval_accuracy"])
        loss = float(metrics["eval_loss"])
        if self.best.state is None or (self.score, -loss) > (self.best.score, -self.best.loss):
            copied = {
                name: one.detach().cpu().clone().contiguous()
                for name, one in self.classifier.state_dict().items()
            }
            self.best = Best(loss, self.score, epoch, copied)
        if epoch - self.best.epoch >= self.patience:
            control.should_training_stop = True
        self.on_step_done(Step(state.global_step, state.max_steps, self.loss, self.score))

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called when the Trainer has written a checkpoint."""
        mark_whole(Path(args.output_dir) / f"checkpoint-{state.global_step}", self.best)
