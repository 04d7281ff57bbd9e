"""Fine-tuning through transformers' Trainer, on rows that are token ids already.

What the Trainer does here: the loop, mixed precision, clipping, checkpoints. What it does not: it
prints nothing, it chooses neither the batches (`length_batches`) nor the best weights (`Watch`).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PrinterCallback, Trainer, TrainingArguments

from promptkit.backends.memory import is_out_of_memory
from promptkit.backends.meter import Meter
from promptkit.errors import BackendError, CapabilityError
from promptkit.protocols import OnStep
from promptkit.strategies.checkpoints import Best, best_of, last_whole, remove
from promptkit.strategies.length_batches import length_batches
from promptkit.strategies.pooled_classifier import PooledClassifier
from promptkit.strategies.schedule import optimizer_of
from promptkit.strategies.watching import Watch

#: Rows of a batch without gradients, for held-out rows.
_HELD_BATCH = 32
#: Target of a place where a row has no word.
_NO_WORD = -100


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Args:
        epochs: Times that every row is seen, at most.
        batch_size: Rows of a step.
        learning_rate: Of the network's weights, at its highest.
        head_learning_rate: Of the head's.
        weight_decay: Of AdamW.
        warmup: Share of the steps in which the rate rises.
        layer_decay: What a layer's learning rate is of that of the layer above it.
        gradual: Whether layers join one after the other, from the top.
        patience: Epochs without a better held-out score after which it stops.
        seed: Of batches and dropout.
        dtype: What a step computes in.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    head_learning_rate: float
    weight_decay: float
    warmup: float
    patience: int
    seed: int
    dtype: Any
    layer_decay: float = 1.0
    gradual: bool = False


@dataclass(frozen=True)
class Rows:
    """Token ids and targets: a place, numbers of 0 and 1 for all labels, or a place a word."""

    ids: Sequence[Sequence[int]]
    targets: Sequence[Any]

    def labels(self, places: Sequence[int]) -> torch.Tensor:
        """Targets of some rows, as `PooledClassifier` takes them."""
        own = [self.targets[place] for place in places]
        if isinstance(own[0], int) or isinstance(own[0][0], float):
            return torch.tensor(own)
        labels = torch.full((len(own), max(map(len, own))), _NO_WORD)
        for at, targets in enumerate(own):
            labels[at, : len(targets)] = torch.tensor(targets)
        return labels


@dataclass(frozen=True)
class Trained:
    """How it went: epochs behind the weights that were kept, and their held-out accuracy."""

    epochs: int
    score: float | None


#: Makes (n, t) ids and mask of rows.
Collate = Callable[[Sequence[Sequence[int]], Any], Mapping[str, torch.Tensor]]


class Batches:
    """What the Trainer iterates over: ready tensors, another order in every epoch.

    Args:
        rows: What to train on.
        collate: Pads token ids.
        recipe: For its batch size and seed.
        meter: Counts the computed positions; None counts nothing.
        shuffled: False gives rows in order of length, for looking without training.
    """

    def __init__(
        self, rows: Rows, collate: Collate, recipe: Recipe, meter: Meter, shuffled: bool
    ) -> None:
        self.dataset, self._collate, self._recipe, self._meter = rows.ids, collate, recipe, meter
        self._rows, self._shuffled, self._epoch = rows, shuffled, 0

    def set_epoch(self, epoch: int) -> None:
        """The Trainer calls this before every epoch, after a kill too."""
        self._epoch = epoch

    def __len__(self) -> int:
        size = self._recipe.batch_size if self._shuffled else _HELD_BATCH
        return -(-len(self.dataset) // size)

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        for places in self._places():
            batch = dict(self._collate([self.dataset[place] for place in places], "cpu"))
            batch["labels"] = self._rows.labels(places)
            self._meter.add(computed_tokens=batch["input_ids"].numel())
            yield batch

    def _places(self) -> list[list[int]]:
        lengths = list(map(len, self.dataset))
        if self._shuffled:
            return length_batches(lengths, self._recipe.batch_size, self._recipe.seed, self._epoch)
        order = sorted(range(len(lengths)), key=lambda row: lengths[row])
        return [order[first : first + _HELD_BATCH] for first in range(0, len(order), _HELD_BATCH)]


def train(
    classifier: PooledClassifier,
    rows: Rows,
    held: Rows | None,
    recipe: Recipe,
    *,
    collate: Collate,
    meter: Meter,
    device: Any,
    folder: Path | None,
    on_step: OnStep,
) -> Trained:
    """Train in place; with held-out rows, the weights of the epoch that did best on them stay.

    Args:
        classifier: What is trained, on the device.
        rows: To learn from.
        held: To see on when to stop, or None to go on to the end.
        recipe: How.
        collate: Pads token ids.
        meter: Counts the computed positions.
        device: Where to train.
        folder: Of this training alone; a checkpoint in it is taken up, and it is removed at the
            end. None keeps nothing on disk.
        on_step: Told about every step.

    Raises:
        BackendError: Training diverged, or memory did not suffice.
        CapabilityError: Another GPU than the first.
    """
    if device.type == "cuda" and (device.index or 0) != 0:
        raise CapabilityError(
            f"device {device}: training uses the first GPU that it sees; choose yours with "
            "CUDA_VISIBLE_DEVICES"
        )
    last = last_whole(folder) if folder is not None else None
    best = best_of(last) if last is not None else Best()
    batches = Batches(rows, collate, recipe, meter, shuffled=True)
    watch = Watch(classifier, recipe.patience, best, on_step)
    with tempfile.TemporaryDirectory() as nowhere, environment_kept():
        trainer = _Quiet(
            model=classifier,
            args=_arguments(
                recipe, device, folder or Path(nowhere), bool(held), folder is not None
            ),
            train_dataset=rows.ids,
            eval_dataset=held.ids if held else None,
            compute_metrics=_accuracy,
            callbacks=[watch],
            optimizers=optimizer_of(
                classifier,
                learning_rate=recipe.learning_rate,
                head_learning_rate=recipe.head_learning_rate,
                weight_decay=recipe.weight_decay,
                warmup=recipe.warmup,
                total=len(batches) * recipe.epochs,
                epochs=recipe.epochs,
                layer_decay=recipe.layer_decay,
                gradual=recipe.gradual,
            ),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.batches = batches
        trainer.held = Batches(held, collate, recipe, meter, shuffled=False) if held else None
        _run(trainer, last, watch, recipe.patience)
    if watch.best.state is not None:
        classifier.take(watch.best.state)
    classifier.eval()
    if folder is not None:
        remove(folder)
    if held is None:
        return Trained(recipe.epochs, None)
    return Trained(watch.best.epoch, watch.best.score)


class _Quiet(Trainer):  # type: ignore[misc]
    """A Trainer that takes our batches as they are."""

    batches: Batches
    held: Batches | None

    def get_train_dataloader(self) -> Any:
        return self.batches

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
        return self.held


def _run(trainer: _Quiet, last: Path | None, watch: Watch, patience: int) -> None:
    try:
        # Weights come from safetensors. Optimizer, schedule and generators of a checkpoint are
        # files of torch.save; the Trainer reads them with torch.load(weights_only=True), which
        # builds tensors and plain values and runs nothing, and `last` lies in our own folder.
        if last is None or not _stopped(trainer, last, watch, patience):
            trainer.train(resume_from_checkpoint=str(last) if last is not None else None)
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise BackendError(
            "out of memory in a training step",
            hint="lower batch_size or max_tokens, or train with strategy lora",
        ) from error
    finally:
        # accelerate has put autocast around forward; predictions are to be made without it
        trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)


def _stopped(trainer: _Quiet, last: Path, watch: Watch, patience: int) -> bool:
    """Whether the training had stopped early when the process was killed."""
    done = int(last.name.rpartition("-")[2]) // len(trainer.batches)
    return watch.best.state is not None and done - watch.best.epoch >= patience


def _arguments(
    recipe: Recipe, device: Any, folder: Path, looks: bool, saves: bool
) -> TrainingArguments:
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=_HELD_BATCH,
        max_grad_norm=1.0,
        bf16=recipe.dtype == torch.bfloat16,
        use_cpu=device.type == "cpu",
        eval_strategy="epoch" if looks else "no",
        save_strategy="epoch" if saves else "no",
        save_total_limit=2,  # the last one may be half written when the process is killed
        logging_strategy="steps",
        logging_steps=1,
        logging_nan_inf_filter=False,
        label_names=["labels"],
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        disable_tqdm=True,
        report_to=[],
        log_level="error",
        seed=recipe.seed % 2**32,
    )
    arguments._n_gpu = min(1, arguments.n_gpu)  # never several GPUs by DataParallel
    return arguments


def _accuracy(found: Any) -> dict[str, float]:
    labels, logits = found.label_ids, found.predictions
    if np.issubdtype(labels.dtype, np.floating):
        return {"accuracy": float(np.mean((logits > 0) == (labels > 0.5)))}
    there = labels != _NO_WORD
    return {"accuracy": float(np.mean((logits.argmax(-1) == labels)[there]))}


@contextmanager
def environment_kept() -> Iterator[None]:
    """Keep from other trainings of the process what accelerate notes down for this one."""
    before = {name: value for name, value in os.environ.items() if name.startswith("ACCELERATE_")}
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith("ACCELERATE_")]:
            del os.environ[name]
        os.environ.update(before)
