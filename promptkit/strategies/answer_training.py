"""Training a causal language model on answers, through trl's `SFTTrainer`.

What trl does here: the loop, the loss, mixed precision, checkpoints. What it is not left: it is
given token ids and targets (`answers`), so that nothing is encoded, masked or cut a second time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from promptkit.backends.memory import is_out_of_memory
from promptkit.backends.meter import Meter
from promptkit.errors import BackendError, MissingExtra
from promptkit.protocols import OnStep
from promptkit.strategies.answers import AnswerIds
from promptkit.strategies.checkpoints import last_whole, remove
from promptkit.strategies.processes import rank, wait_for_all


@dataclass(frozen=True)
class AnswerRecipe:
    """How to train.

    Args:
        epochs: Times that every row is seen.
        batch_size: Rows of a pass; a step is ``accumulation`` of them.
        accumulation: Passes of a step.
        learning_rate: At its highest; it rises during ``warmup`` and falls to 0 along a cosine.
        weight_decay: Of AdamW.
        warmup: Share of the steps in which the rate rises.
        checkpointing: Whether activations are computed twice, to save memory.
        seed: Of batches and dropout.
        dtype: What a step computes in.
    """

    epochs: int
    batch_size: int
    accumulation: int
    learning_rate: float
    weight_decay: float
    warmup: float
    checkpointing: bool
    seed: int
    dtype: Any


def need_trl() -> None:
    """Raise `MissingExtra` where trl is absent."""
    if find_spec("trl") is None:
        raise MissingExtra("instruction tuning needs trl: pip install 'promptkit[instruct]'")


def train_answers(
    model: Any,
    tokenizer: Any,
    rows: Sequence[AnswerIds],
    recipe: AnswerRecipe,
    *,
    meter: Meter,
    device: Any,
    folder: Path | None,
    on_step: OnStep,
) -> None:
    """Train in place.

    Args:
        model: A causal model, or one in peft's wrapping; what requires gradients is trained.
        tokenizer: Its tokenizer, for the token that pads.
        rows: What is learned; a step's loss is the mean over the tokens of its answers.
        recipe: How.
        meter: Counts the computed positions.
        device: Where to train.
        folder: Of this training alone; a checkpoint in it is taken up, and it is removed at the
            end. None keeps nothing on disk.
        on_step: Told about every step.

    Raises:
        BackendError: Training diverged, or memory did not suffice.
        MissingExtra: trl is absent.
    """
    need_trl()
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    data = Dataset.from_dict(
        {
            "input_ids": [list(row.ids) for row in rows],
            "labels": [list(row.targets) for row in rows],
        }
    )

    def build(nowhere: Path) -> Any:
        return SFTTrainer(
            model=model,
            args=SFTConfig(
                **arguments(recipe, device, folder or nowhere, saves=folder is not None),
                max_length=None,
                packing=False,
            ),
            train_dataset=data,
            processing_class=tokenizer,
            data_collator=DataCollatorForLanguageModeling(pad_token_id=padding_of(tokenizer)),
        )

    run(build, folder=folder, on_step=on_step)
    meter.add(computed_tokens=recipe.epochs * sum(len(row.ids) for row in rows))


def arguments(recipe: AnswerRecipe, device: Any, folder: Path, *, saves: bool) -> dict[str, Any]:
    """Arguments that any trainer of transformers takes; everything that trl sets otherwise said."""
    return {
        "output_dir": str(folder),
        "num_train_epochs": recipe.epochs,
        "per_device_train_batch_size": recipe.batch_size,
        "gradient_accumulation_steps": recipe.accumulation,
        "gradient_checkpointing": recipe.checkpointing,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": recipe.warmup,
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": 1.0,
        "bf16": recipe.dtype == torch.bfloat16,
        "use_cpu": device.type == "cpu",
        "train_sampling_strategy": "group_by_length",
        "remove_unused_columns": False,  # `length` is one that a trainer of preferences needs
        "save_strategy": "epoch" if saves else "no",
        "save_total_limit": 2,
        "save_only_model": False,
        "logging_strategy": "steps",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "dataloader_pin_memory": False,
        "disable_tqdm": True,
        "report_to": [],
        "log_level": "error",
        "seed": recipe.seed % 2**32,
    }


def run(build: Callable[[Path], Any], *, folder: Path | None, on_step: OnStep) -> None:
    """Train with the trainer that is built, from its last whole checkpoint on.

    Args:
        build: Makes the trainer; takes a folder for what nobody keeps.
        folder: Of this training alone; None keeps nothing.
        on_step: Told about every step.

    Raises:
        BackendError: Training diverged, or memory did not suffice.
    """
    from transformers import PrinterCallback

    from promptkit.strategies.answer_watching import Steps
    from promptkit.strategies.training import environment_kept

    last = last_whole(folder) if folder is not None else None
    try:
        with tempfile.TemporaryDirectory() as nowhere, environment_kept():
            trainer = build(Path(nowhere))
            trainer.remove_callback(PrinterCallback)
            trainer.add_callback(Steps(on_step))
            trainer.train(resume_from_checkpoint=str(last) if last is not None else None)
            trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
            trainer.model.eval()
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise BackendError(
            "out of memory in a training step",
            hint="lower batch_size and raise accumulation, set checkpointing=true, or way=lora",
        ) from error
    wait_for_all()  # nobody is still writing a checkpoint
    if folder is not None and rank() == 0:
        remove(folder)


def facts_of(recipe: AnswerRecipe) -> Mapping[str, Any]:
    """The recipe as JSON values."""
    return {**asdict(recipe), "dtype": str(recipe.dtype).removeprefix("torch.")}


def padding_of(tokenizer: Any) -> int:
    """What fills a batch up; it is masked, so that any token will do."""
    for one in (tokenizer.pad_token_id, tokenizer.eos_token_id):
        if one is not None:
            return int(one)
    return 0
