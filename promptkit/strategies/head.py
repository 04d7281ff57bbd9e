"""A new head on a frozen model: the pre-trained head is discarded, and nothing below is trained.

The states of the last layer are computed once; the head is trained on them by gradient. What full
fine-tuning and adapters gain over this is what their changes to the model are worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from promptkit.backends.meter import Meter
from promptkit.backends.torch_device import choose_device, choose_dtype
from promptkit.backends.weights import locate
from promptkit.protocols import NO_CONTEXT, FitContext
from promptkit.strategies.base_record import base_facts, check_base, read_facts, write_facts
from promptkit.strategies.class_weights import weights_of
from promptkit.strategies.classified import Classified, evidence_of, spread, targets_of
from promptkit.strategies.classifier_head import ClassifierHead
from promptkit.strategies.frozen_states import FrozenStates
from promptkit.strategies.head_training import Features, HeadRecipe, HeadTraining, train_head
from promptkit.strategies.held_out import hold_out
from promptkit.strategies.option_checks import check_numbers
from promptkit.strategies.pretrained import load_located
from promptkit.strategies.randomness import own_randomness
from promptkit.strategies.reading import Reading
from promptkit.types import Evidence, Example, Scalar

_FACTS, _HEAD = "head.json", "head.safetensors"


class Head(Classified):
    """Trains a head on the frozen model's pooled states with AdamW.

    With rows enough (64), some are held out to see when to stop; then the head is trained once
    more, on all rows, for as many epochs.

    Args:
        labels: The task's labels.
        reading: How a row becomes text.
        model: ``minilm``, a folder of any text model of transformers, or a hub id.
        hidden: Units of a hidden layer; 0 for a linear head.
        learning_rate: Of AdamW, at the start.
        epochs: Times that every row is seen, at most.
        batch_size: Rows of a training step.
        dropout: Share of the features that a training step leaves out.
        weight_decay: Of AdamW.
        held_out: Share of the training rows to stop by; 0 trains for all ``epochs``.
        patience: Epochs without a lower held-out loss after which it stops.
        class_weights: ``none``, or ``balanced`` so that every label counts alike.
        max_tokens: Rows are cut to this many tokens.
        seed: Of weights, batches, dropout and held-out rows.
        device: Where the model runs.
        dtype: Number format of the frozen model.
    """

    def __init__(
        self,
        labels: Sequence[Scalar],
        reading: Reading,
        *,
        model: str = "minilm",
        hidden: int = 0,
        learning_rate: float = 5e-4,
        epochs: int = 100,
        batch_size: int = 32,
        dropout: float = 0.1,
        weight_decay: float = 0.01,
        held_out: float = 0.2,
        patience: int = 10,
        class_weights: str = "none",
        max_tokens: int = 512,
        seed: int = 0,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        self.labels, self.reading, self.model, self.hidden = labels, reading, model, hidden
        self.learning_rate, self.epochs, self.batch_size = learning_rate, epochs, batch_size
        self.dropout, self.weight_decay, self.held_out = dropout, weight_decay, held_out
        self.patience, self.class_weights, self.max_tokens = patience, class_weights, max_tokens
        self.seed, self.device, self.dtype = seed, device, dtype
        self._meter = Meter()

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Compute the rows' states, and train the head on them.

        Raises:
            DataError: No row, or one whose label the task does not have.
            SpecError: An option that cannot be what it is.
            BackendError: The model cannot be loaded, or training diverged.
        """
        self._check()
        targets = targets_of(train, self.labels)
        with self._meter.timed(), own_randomness(self.seed):
            self.seen_, local = np.unique(targets, return_inverse=True)
            self.head_: ClassifierHead | None = None
            self.training_ = HeadTraining(0, None)
            self._load()
            if len(self.seen_) > 1:
                weights = weights_of(local, len(self.seen_), self.class_weights)
                states, _ = self._states(train)
                self._fit_head(Features(states, local), weights, context)
        if self.head_ is not None:
            self._meter.add(trained_parameters=sum(p.numel() for p in self.head_.parameters()))
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """Log-probabilities of the labels, row by row."""
        with self._meter.timed():
            log_p, cut = np.zeros((len(examples), 1)), [0] * len(examples)
            if self.head_ is not None:
                states, cut = self._states(examples)
                with torch.inference_mode():
                    log_p = self.head_(states).double().log_softmax(1).numpy()
        self._meter.add(rows=len(examples))
        return evidence_of(
            examples, spread(log_p, self.seen_.tolist(), len(self.labels)), "head", cut
        )

    def describe(self) -> Mapping[str, Any]:
        """Its options, those of where it runs left out."""
        names = ["hidden", "learning_rate", "epochs", "batch_size", "dropout", "weight_decay"]
        names += ["held_out", "patience", "class_weights", "max_tokens", "seed"]
        options = {name: getattr(self, name) for name in names}
        return {"name": "head", **options, "reading": dict(self.reading.describe())}

    def card_facts(self) -> dict[str, Any]:
        """What a reader of a saved model wants to know about its training."""
        return {
            "epochs": self.training_.epochs,
            "held-out accuracy": self.training_.score,
            "learning rate": self.learning_rate,
            "trained parameters": sum(p.numel() for p in self.head_.parameters())
            if self.head_ is not None
            else 0,
        }

    def save(self, folder: Path) -> None:
        """Write the head, and which model it stands on."""
        facts = {"seen": self.seen_.tolist(), "base": base_facts(locate(self.model))}
        training = {"epochs": self.training_.epochs, "score": self.training_.score}
        write_facts(folder / _FACTS, facts | training)
        if self.head_ is not None:
            self.head_.save(folder / _HEAD)

    def restore(self, folder: Path) -> Self:
        """Take the head up again.

        Raises:
            StoreError: A file is missing or broken.
            BackendError: The model is not the one that the head was trained upon.
        """
        facts = read_facts(folder / _FACTS, "seen", "base", "epochs", "score")
        check_base(facts["base"], locate(self.model))
        self.seen_ = np.array(facts["seen"], np.int64)
        self.training_ = HeadTraining(facts["epochs"], facts["score"])
        self.head_ = ClassifierHead.load(folder / _HEAD) if len(self.seen_) > 1 else None
        self._load()
        return self

    def _check(self) -> None:
        check_numbers(
            whole={
                "epochs": self.epochs,
                "batch_size": self.batch_size,
                "patience": self.patience,
                "max_tokens": self.max_tokens,
                **({"hidden": self.hidden} if self.hidden != 0 else {}),
            },
            above_0={"learning_rate": self.learning_rate},
            shares={
                "dropout": self.dropout,
                "weight_decay": self.weight_decay,
                "held_out": self.held_out,
            },
        )
        weights_of([0], 1, self.class_weights)

    def _load(self) -> None:
        device = choose_device(self.device)
        dtype = choose_dtype(self.dtype, device)
        self.base_ = load_located(locate(self.model), self.max_tokens, dtype)
        self.base_.network.requires_grad_(False).to(device)
        self._frozen = FrozenStates(self.base_, device, None, self._meter)

    def _states(self, examples: Sequence[Example]) -> tuple[torch.Tensor, list[int]]:
        """(n, w) pooled states, and the characters of each row that were not read."""
        ids, cut = self.base_.ids([self.reading(example) for example in examples])
        self._meter.add(prompt_tokens=sum(map(len, ids)))
        return self._frozen.of(ids), cut

    def _fit_head(
        self, rows: Features, weights: Sequence[float] | None, context: FitContext
    ) -> None:
        rest, held = hold_out(rows.targets.tolist(), self.held_out, self.seed)
        recipe = HeadRecipe(
            self.learning_rate,
            self.epochs,
            self.batch_size,
            self.weight_decay,
            self.patience,
            self.seed,
        )
        found, until = HeadTraining(self.epochs, None), None
        if len(held):
            found = train_head(
                self._fresh(rows),
                Features(rows.states[rest], rows.targets[rest]),
                Features(rows.states[held], rows.targets[held]),
                weights,
                recipe,
                context.on_step,
            )
            until = found.epochs
        self.head_ = self._fresh(rows)
        train_head(self.head_, rows, None, weights, recipe, context.on_step, until)
        self.training_ = found

    def _fresh(self, rows: Features) -> ClassifierHead:
        """A head that says nothing yet: all labels are equally likely to it."""
        torch.manual_seed(self.seed)
        head = ClassifierHead(rows.states.shape[1], len(self.seen_), self.hidden, self.dropout)
        head.standardise(rows.states)
        torch.nn.init.zeros_(head.out.weight)
        torch.nn.init.zeros_(head.out.bias)
        return head
