"""Looks on while trl trains: reports steps, marks checkpoints whole, stops what diverged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from promptkit.errors import BackendError
from promptkit.protocols import OnStep, Step
from promptkit.strategies.checkpoints import Best, mark_whole


class Steps(TrainerCallback):  # type: ignore[misc]
    """Tells about every step.

    Args:
        on_step: Told.
    """

    def __init__(self, on_step: OnStep) -> None:
        self.on_step_done = on_step

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **_: Any
    ) -> None:
        """Called after every step, for every one is logged.

        Raises:
            BackendError: The loss is no number any more.
        """
        if logs is None or "loss" not in logs:
            return
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise BackendError(
                f"the loss of step {state.global_step} is {loss}",
                hint="lower learning_rate, or train with precision: float32",
            )
        if state.is_world_process_zero:
            self.on_step_done(Step(state.global_step, state.max_steps, loss))

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called when the trainer has written a checkpoint."""
        if state.is_world_process_zero:
            mark_whole(Path(args.output_dir) / f"checkpoint-{state.global_step}", Best())
