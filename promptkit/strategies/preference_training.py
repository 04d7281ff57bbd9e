"""Direct preference optimisation (Rafailov et al. 2023) through trl's `DPOTrainer`, on token ids.

What is raised is how much more likely the right answer has become than the wrong one, measured
against the model before; ``beta`` says how dear it is to move away from that model.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from promptkit.backends.meter import Meter
from promptkit.protocols import OnStep
from promptkit.strategies.answer_training import (
    AnswerRecipe,
    arguments,
    need_trl,
    padding_of,
    run,
)
from promptkit.strategies.answers import AnswerIds


def train_preferences(
    model: Any,
    tokenizer: Any,
    rows: Sequence[AnswerIds],
    recipe: AnswerRecipe,
    *,
    beta: float,
    meter: Meter,
    device: Any,
    folder: Path | None,
    on_step: OnStep,
) -> None:
    """Train in place, as `answer_training.train_answers` does.

    Args:
        model: A causal model, or one in peft's wrapping; what requires gradients is trained.
        tokenizer: Its tokenizer, for the token that pads.
        rows: Each with a right and a wrong answer.
        recipe: How.
        beta: Weight of staying near the model as it was; 0.1 is usual, higher stays nearer.
        meter: Counts the computed positions.
        device: Where to train.
        folder: Of this training alone; a checkpoint in it is taken up, and it is removed at the
            end. None keeps nothing on disk.
        on_step: Told about every step.
    """
    need_trl()
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    class _Ready(DPOTrainer):  # type: ignore[misc]
        """Takes token ids as they are: encoding them again could make control tokens of text."""

        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset

    data = Dataset.from_dict(
        {
            "prompt_ids": [list(row.context) for row in rows],
            "chosen_ids": [list(row.answer) for row in rows],
            "rejected_ids": [list(row.wrong) for row in rows],
            "length": [len(row.ids) for row in rows],
        }
    )
    # an adapter can be switched off; whole weights have to be kept as they were
    adapted = hasattr(model, "peft_config")
    reference = None if adapted else deepcopy(model).requires_grad_(False).eval()

    def build(nowhere: Path) -> Any:
        return _Ready(
            model=model,
            ref_model=reference,
            args=DPOConfig(
                **arguments(recipe, device, folder or nowhere, saves=folder is not None),
                beta=beta,
                max_length=None,
            ),
            train_dataset=data,
            processing_class=tokenizer,
            data_collator=DataCollatorForPreference(pad_token_id=padding_of(tokenizer)),
        )

    run(build, folder=folder, on_step=on_step)
    read = sum(2 * len(row.context) + len(row.answer) + len(row.wrong) for row in rows)
    meter.add(computed_tokens=2 * recipe.epochs * read)
