"""Tuning a pre-trained model for a task, by gradient: what `full`, `top_layers` and `lora` share.

They differ in one thing, what of the network is trained, and each says so with a `Way`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import torch

from promptkit.backends.meter import Meter
from promptkit.backends.torch_device import choose_device, choose_dtype
from promptkit.backends.weights import Located, locate
from promptkit.errors import SpecError, nearest
from promptkit.protocols import NO_CONTEXT, FitContext
from promptkit.strategies.base_record import base_facts, read_facts, write_facts
from promptkit.strategies.checkpoints import name_of_training
from promptkit.strategies.class_weights import weights_of
from promptkit.strategies.classified import Classified
from promptkit.strategies.classifier_head import ClassifierHead
from promptkit.strategies.frozen_states import FrozenStates
from promptkit.strategies.held_out import hold_out
from promptkit.strategies.option_checks import check_numbers
from promptkit.strategies.pooled_classifier import PooledClassifier
from promptkit.strategies.precision import training_dtype
from promptkit.strategies.pretrained import Pretrained, WordIds
from promptkit.strategies.randomness import own_randomness
from promptkit.strategies.reading import Reading
from promptkit.strategies.training import Recipe, Rows, Trained, train
from promptkit.strategies.units import Logits, OneLabel, Unit
from promptkit.types import Evidence, Example, Prediction, Scalar

_FACTS, _HEAD = "tuning.json", "head.safetensors"
ONE_LABEL = OneLabel()
#: Rows that it takes to hold some out. With 150 of TREC, training on four fifths of them and
#: stopping by the rest lost 3 points against training on all (docs/log.md, 2026-11-25).
ENOUGH = 200
#: When layers are trained.
UNFREEZE = ("all", "gradual")
#: Training rows that a way of tuning is checked on.
_CHECKED = 4


class Way(Protocol):
    """What of a network is trained, and how that is written and read."""

    def load(self, located: Located, max_tokens: int, dtype: Any) -> Pretrained:
        """The pre-trained network."""
        ...

    def open(self, base: Pretrained) -> None:
        """Let what is to be trained require gradients, and freeze the rest."""
        ...

    def check(self, base: Pretrained, states: FrozenStates, ids: Sequence[Sequence[int]]) -> None:
        """Raise `BackendError` when what was trained is not at work."""
        ...

    def save(self, base: Pretrained, folder: Path) -> None:
        """Write what was trained."""
        ...

    def restore(self, located: Located, facts: Mapping[str, Any], folder: Path) -> Pretrained:
        """Read it."""
        ...


class FineTuning(Classified):
    """Trains a network, or a part of it, together with a new head.

    The head starts from a logistic regression on the frozen features (`ClassifierHead`). With rows
    enough (200), some are held out to see when to stop, and the weights of the best epoch are
    kept. A fit that is killed goes on from its last epoch, to the same weights, where the context
    names a folder.

    Args:
        labels: The task's labels.
        reading: How a row becomes text.
        model: ``minilm``, a folder of any text model of transformers, or a hub id.
        learning_rate: Of the network, at its highest; it rises during ``warmup`` and falls to 0.
        head_learning_rate: Of the head.
        epochs: Times that every row is seen, at most.
        batch_size: Rows of a training step.
        weight_decay: Of AdamW.
        warmup: Share of the steps in which the learning rate rises.
        dropout: Share of the pooled features that a training step leaves out.
        held_out: Share of the training rows to stop by; 0 trains for all ``epochs``.
        patience: Epochs without a better held-out score after which it stops.
        layer_decay: What a layer's learning rate is of that of the layer above it; 1 trains all at
            the same one (discriminative rates: Howard and Ruder 2018).
        unfreeze: ``all`` layers from the first epoch on, or ``gradual``: the head alone first, then
            one layer more an epoch, from the top.
        class_weights: ``none``, or ``balanced`` so that every label counts alike.
        max_tokens: Rows are cut to this many tokens.
        precision: What a training step computes in: ``auto``, ``float32``, ``bfloat16``.
        seed: Of weights, batches, dropout and held-out rows.
        device: Where the model runs.
        dtype: What predictions are computed in; float32 on a CPU.
        unit: What of a row has a label; by default the row has one.
    """

    name = ""

    def __init__(
        self,
        labels: Sequence[Scalar],
        reading: Reading,
        *,
        model: str = "minilm",
        learning_rate: float = 1e-4,
        head_learning_rate: float = 1e-3,
        epochs: int = 6,
        batch_size: int = 16,
        weight_decay: float = 0.01,
        warmup: float = 0.1,
        dropout: float = 0.1,
        held_out: float = 0.1,
        patience: int = 3,
        layer_decay: float = 1.0,
        unfreeze: str = "all",
        class_weights: str = "none",
        max_tokens: int = 512,
        precision: str = "auto",
        seed: int = 0,
        device: str = "auto",
        dtype: str = "auto",
        unit: Unit = ONE_LABEL,
    ) -> None:
        self.labels, self.reading, self.model, self.unit = labels, reading, model, unit
        self.learning_rate, self.head_learning_rate = learning_rate, head_learning_rate
        self.epochs, self.batch_size, self.weight_decay = epochs, batch_size, weight_decay
        self.warmup, self.dropout, self.held_out = warmup, dropout, held_out
        self.patience, self.class_weights, self.max_tokens = patience, class_weights, max_tokens
        self.layer_decay, self.unfreeze = layer_decay, unfreeze
        self.precision, self.seed, self.device, self.dtype = precision, seed, device, dtype
        self._meter = Meter()

    @abstractmethod
    def _way(self) -> Way:
        """What is trained; said by each strategy."""

    def _own_options(self) -> dict[str, Any]:
        """Options that only this strategy has."""
        return {}

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Tune the model on the rows.

        Raises:
            DataError: No row, or one whose label the task does not have.
            SpecError: An option that cannot be what it is.
            BackendError: The model cannot be loaded, training diverged, or changed nothing.
        """
        self._check()
        way = self._way()
        with self._meter.timed(), own_randomness(self.seed):
            self.seen_, local = self.unit.targets(train, self.labels)
            self.head_: ClassifierHead | None = None
            self.training_, self.trained_parameters_ = Trained(0, None), 0
            located = locate(self.model)
            self._facts = {"base": base_facts(located)}
            if len(self.seen_) > 1:
                self._set_base(way.load(located, self.max_tokens, self._dtype()))
                self._tune(way, train, local, context)
        self._meter.add(trained_parameters=self.trained_parameters_)
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """Log-probabilities of the labels, row by row."""
        with self._meter.timed():
            cut = [0] * len(examples)
            if self.head_ is None:
                logits = torch.zeros(self.unit.count(examples), 1)
            else:
                ids, cut = self._ids(examples)
                with torch.inference_mode():
                    logits = self.head_(self._states.of(ids))
        self._meter.add(rows=len(examples))
        said = Logits(logits, self.seen_.tolist(), len(self.labels), self.name, cut)
        return self.unit.evidence(examples, said)

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """What is most probable of each row."""
        return self.unit.conclude(examples, evidence, self.labels)

    def describe(self) -> Mapping[str, Any]:
        """Its options, those of where it runs left out."""
        names = ["learning_rate", "head_learning_rate", "epochs", "batch_size", "weight_decay"]
        names += ["warmup", "dropout", "held_out", "patience", "class_weights", "max_tokens"]
        options = {name: getattr(self, name) for name in [*names, "precision", "seed"]}
        # what is as it always was leaves runs their names
        late = {"layer_decay": (self.layer_decay, 1.0), "unfreeze": (self.unfreeze, "all")}
        options |= {name: value for name, (value, usual) in late.items() if value != usual}
        reading = dict(self.reading.describe())
        return {"name": self.name, **self._own_options(), **options, "reading": reading}

    def card_facts(self) -> dict[str, Any]:
        """What a reader of a saved model wants to know about its training."""
        return {
            "epochs": self.training_.epochs,
            "held-out accuracy": self.training_.score,
            "learning rate": self.learning_rate,
            "trained parameters": self.trained_parameters_,
        }

    def save(self, folder: Path) -> None:
        """Write what was trained, the head, and which model it stands on."""
        facts: dict[str, Any] = {"seen": self.seen_.tolist(), **self._facts}
        facts |= {"epochs": self.training_.epochs, "score": self.training_.score}
        facts |= {"trained_parameters": self.trained_parameters_}
        if self.head_ is not None:
            facts |= {"pooling": self.base_.pooling, "max_tokens": self.base_.max_tokens}
            self._way().save(self.base_, folder)
            self.head_.save(folder / _HEAD)
        write_facts(folder / _FACTS, facts)

    def restore(self, folder: Path) -> Self:
        """Take up what was trained; needs no training rows.

        Raises:
            StoreError: A file is missing or broken.
            BackendError: The model is not the one that was trained upon, or what was trained is not
                at work.
        """
        facts = read_facts(folder / _FACTS, "seen", "base", "epochs", "score", "trained_parameters")
        self.seen_, self._facts = np.array(facts["seen"], np.int64), {"base": facts["base"]}
        self.training_ = Trained(facts["epochs"], facts["score"])
        self.trained_parameters_ = int(facts["trained_parameters"])
        self.head_ = None
        if len(self.seen_) > 1:
            facts = read_facts(folder / _FACTS, "base", "pooling", "max_tokens")
            way, located = self._way(), locate(self.model)
            facts["dtype"] = self._dtype()
            self._set_base(way.restore(located, facts, folder))
            self.head_ = ClassifierHead.load(folder / _HEAD)
            # no training row is kept: any ids tell whether an adapter is at work
            ids = [list(range(5, 5 + length)) for length in (3, 8)]
            if self.base_.pooling == "words":
                ids = [WordIds(own, [1]) for own in ids]
            way.check(self.base_, self._states, ids)
        return self

    def _tune(
        self, way: Way, examples: Sequence[Example], targets: list[Any], context: FitContext
    ) -> None:
        k = len(self.seen_)
        ids, _ = self._ids(examples)
        targets = self.unit.read(targets, ids)
        strata = [self.unit.stratum(own) for own in targets]
        rest, held = hold_out(strata, self.held_out, self.seed, ENOUGH)
        whole = self.unit.whole(targets)
        if whole.ndim > 1 and self.class_weights != "none":
            raise SpecError("option 'class_weights' is for rows with one label; leave it out")
        weights = None if whole.ndim > 1 else weights_of(whole, k, self.class_weights)
        head = ClassifierHead(self.base_.width, k, dropout=self.dropout)
        features = self._states.of([ids[row] for row in rest])
        learned = self.unit.whole([targets[row] for row in rest])
        head.start_from_features(features, learned, weights)
        way.open(self.base_)
        network = self.base_.network.to(self._device)
        classifier = PooledClassifier(network, self.base_.pooling, head, weights).to(self._device)
        self.trained_parameters_ = classifier.trained()
        recipe, folder = self._recipe(), None
        if context.folder is not None:
            facts = {**self.describe(), **self._facts, "k": k, "dtype": str(recipe.dtype)}
            folder = context.folder / name_of_training(facts, ids, targets)
        self.training_ = train(
            classifier,
            _rows(ids, targets, rest),
            _rows(ids, targets, held) if len(held) else None,
            recipe,
            collate=self.base_.batch,
            meter=self._meter,
            device=self._device,
            folder=folder,
            on_step=context.on_step,
        )
        network.requires_grad_(False)
        self.head_ = head.cpu().requires_grad_(False)
        way.check(self.base_, self._states, ids[:_CHECKED])

    def _recipe(self) -> Recipe:
        return Recipe(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            head_learning_rate=self.head_learning_rate,
            weight_decay=self.weight_decay,
            warmup=self.warmup,
            patience=self.patience,
            seed=self.seed,
            dtype=training_dtype(self.precision, self._device),
            layer_decay=self.layer_decay,
            gradual=self.unfreeze == "gradual",
        )

    def _check(self) -> None:
        check_numbers(
            whole={
                "epochs": self.epochs,
                "batch_size": self.batch_size,
                "patience": self.patience,
                "max_tokens": self.max_tokens,
            },
            above_0={
                "learning_rate": self.learning_rate,
                "head_learning_rate": self.head_learning_rate,
                "layer_decay": self.layer_decay,
            },
            shares={
                "weight_decay": self.weight_decay,
                "warmup": self.warmup,
                "dropout": self.dropout,
                "held_out": self.held_out,
            },
        )
        if self.layer_decay > 1:
            raise SpecError(f"option 'layer_decay' is {self.layer_decay!r}; it must be 1 at most")
        if self.unfreeze not in UNFREEZE:
            raise SpecError(
                f"option 'unfreeze': no such value {self.unfreeze!r}; "
                f"{nearest(self.unfreeze, UNFREEZE)}"
            )
        weights_of([0], 1, self.class_weights)
        training_dtype(self.precision, choose_device(self.device))

    def _dtype(self) -> Any:
        return choose_dtype(self.dtype, choose_device(self.device))

    def _set_base(self, base: Pretrained) -> None:
        base.pooling = self.unit.pooling or base.pooling
        self._device, self.base_ = choose_device(self.device), base
        base.network.requires_grad_(False).to(self._device)
        self._states = FrozenStates(base, self._device, self._dtype(), self._meter)

    def _ids(self, examples: Sequence[Example]) -> tuple[list[list[int]], list[int]]:
        ids, cut = self.unit.ids(self.base_, self.reading, examples)
        self._meter.add(prompt_tokens=sum(map(len, ids)))
        return ids, cut


def _rows(ids: Sequence[Sequence[int]], targets: Any, places: Any) -> Rows:
    return Rows([ids[place] for place in places], [targets[place] for place in places])
