"""Contrastive few-shot tuning of a sentence encoder (SetFit: Tunstall et al. 2022).

The encoder is tuned until rows of one label lie near each other and others far; then a logistic
regression learns the labels from the tuned vectors. A few rows become many pairs, which is why it
works with so few. Where SetFit draws pairs and encodes both sides of each, here every row of a
batch is compared with all others and encoded once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from promptkit.backends.meter import Meter
from promptkit.backends.plan import batches
from promptkit.backends.torch_device import choose_device
from promptkit.backends.weights import Located, locate
from promptkit.errors import SpecError
from promptkit.protocols import NO_CONTEXT, FitContext
from promptkit.strategies.base_record import base_facts, read_facts, write_facts
from promptkit.strategies.batches_by_label import plan_batches
from promptkit.strategies.classified import Classified, evidence_of, targets_of
from promptkit.strategies.contrastive_losses import batch_loss
from promptkit.strategies.contrastive_training import Plan, tune
from promptkit.strategies.option_checks import check_numbers
from promptkit.strategies.precision import training_dtype
from promptkit.strategies.reading import Reading
from promptkit.strategies.rows import counted_rows, named_rows
from promptkit.strategies.sentence_encoders import (
    encoder_copy,
    ids_of,
    load_encoder,
    vectors_of,
)
from promptkit.strategies.unit_head import UnitHead
from promptkit.types import Evidence, Example, Scalar

_MODEL, _HEAD, _FACTS = "model", "head.safetensors", "contrastive.json"
#: Token positions of a batch that is only encoded.
_ENCODED_TOGETHER = 4096


class Contrastive(Classified):
    """Tunes a sentence encoder on which rows belong together, then fits a head on its vectors.

    Args:
        labels: The task's labels.
        reading: How a row becomes text.
        label_rows: Rows that the template gives, of statements about its labels; learned from
            like training rows.
        model: ``minilm``, a sentence-transformers folder, or any other text model of transformers,
            whose tokens' states are then averaged; or a hub id.
        loss: See `promptkit.strategies.contrastive_losses.batch_loss`.
        learning_rate: Of AdamW, at its highest.
        epochs: Times that every row is seen.
        batch_size: Rows that are compared with each other in a training step, about.
        head_c: Inverse strength of the head's penalty; times the number of labels that the rows
            have, it is scikit-learn's ``C``.
        precision: ``auto``, ``float32``, ``bfloat16``: what training steps compute in.
        seed: Of batches and dropout.
        device: Where the model runs.
        dtype: ``auto`` or ``float32``: weights and predictions are in float32.
    """

    def __init__(
        self,
        labels: Sequence[Scalar],
        reading: Reading,
        *,
        label_rows: Sequence[Example] = (),
        model: str = "minilm",
        loss: str = "all_triplets",
        learning_rate: float = 5e-5,
        epochs: int = 8,
        batch_size: int = 32,
        head_c: float = 1.0,
        precision: str = "auto",
        seed: int = 0,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        self.labels, self.reading, self.model, self.loss = labels, reading, model, loss
        self.label_rows = tuple(label_rows)
        self.learning_rate, self.epochs, self.batch_size = learning_rate, epochs, batch_size
        self.head_c, self.precision, self.seed = head_c, precision, seed
        self.device, self.dtype = device, dtype
        self._meter = Meter()

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Tune a copy of the encoder, and fit the head on its vectors.

        Where no two rows share a label, or all do, there is nothing to compare: the encoder then
        stays as it is.

        Raises:
            DataError: No row, or one whose label the task does not have.
            SpecError: An option that cannot be what it is.
            BackendError: The model cannot be loaded.
        """
        device = self._check()
        targets_of(train, self.labels)  # there must be rows beside the label rows
        # sorted, for a file in another order is the same file
        rows = [*sorted(train, key=lambda row: row.id), *self.label_rows]
        targets = targets_of(rows, self.labels)
        with self._meter.timed():
            located = locate(self.model)
            encoder = encoder_copy(located).to(device)
            ids, _ = ids_of(encoder, [self.reading(row) for row in rows])
            plan = self._plan(ids, targets, located, device)
            self.trained_ = tune(encoder, plan, context, self._meter)
            self.encoder_, self.steps_ = encoder, len(plan.batches)
            self.base_ = base_facts(located)
            # many labels share the rows: each has few, and would hardly get away from zero
            c = self.head_c * len(set(targets.tolist()))
            self.head_ = UnitHead.fitted(self._encoded(ids), targets, len(self.labels), c)
        self._meter.add(trained_parameters=self.trained_ + self.head_.size)
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """Log-probabilities of the labels, row by row."""
        if not examples:
            return []
        with self._meter.timed():
            ids, cut = ids_of(self.encoder_, [self.reading(example) for example in examples])
            log_p = self.head_.log_p(self._encoded(ids))
        self._meter.add(rows=len(examples), prompt_tokens=sum(map(len, ids)))
        return evidence_of(examples, log_p, "contrastive", cut)

    def describe(self) -> Mapping[str, Any]:
        """Its options; where it runs is left out."""
        names = ("loss", "learning_rate", "epochs", "batch_size", "head_c", "precision", "seed")
        options = {name: getattr(self, name) for name in names}
        told = {"reading": dict(self.reading.describe()), **named_rows(self.label_rows)}
        return {"name": "contrastive", **options, **told}

    def card_facts(self) -> dict[str, Any]:
        """What a reader of a saved model wants to know about its training."""
        return {
            "steps": self.steps_,
            "loss": self.loss,
            "learning rate": self.learning_rate,
            "epochs": self.epochs,
            "trained parameters": self.trained_,
            **counted_rows(self.label_rows),
        }

    def save(self, folder: Path) -> None:
        """Write the tuned encoder as a sentence-transformers folder ``model``, and the head."""
        self.encoder_.save_pretrained(str(folder / _MODEL), create_model_card=False)
        self.head_.save(folder / _HEAD)
        facts = {"base": self.base_, "steps": self.steps_, "trained": self.trained_}
        write_facts(folder / _FACTS, facts)

    def restore(self, folder: Path) -> Self:
        """Take up encoder and head; the model that was tuned is not needed.

        Raises:
            StoreError: A file is missing or broken.
            BackendError: The encoder is.
        """
        device = self._check()
        facts = read_facts(folder / _FACTS, "base", "steps", "trained")
        self.base_, self.steps_, self.trained_ = facts["base"], facts["steps"], facts["trained"]
        self.head_ = UnitHead.restored(folder / _HEAD, len(self.labels))
        self.encoder_ = load_encoder(folder / _MODEL).to(device)
        return self

    def _check(self) -> Any:
        """The device, if all options can be what they are."""
        check_numbers(
            whole={"epochs": self.epochs, "batch_size": self.batch_size},
            above_0={"learning_rate": self.learning_rate, "head_c": self.head_c},
            shares={},
        )
        batch_loss(self.loss)
        if self.dtype not in ("auto", "float32"):
            raise SpecError(
                f"dtype {self.dtype!r}: contrastive tuning keeps weights in float32; set what its "
                "training steps compute in with the option precision"
            )
        device = choose_device(self.device)
        training_dtype(self.precision, device)
        return device

    def _plan(
        self, ids: list[list[int]], targets: NDArray[np.int64], located: Located, device: Any
    ) -> Plan:
        dtype = training_dtype(self.precision, device)
        places = targets.tolist()
        content = [dict(self.describe()), located.hash(), ids, places, str(dtype)]
        return Plan(
            ids=ids,
            targets=places,
            batches=plan_batches(
                places, epochs=self.epochs, batch_size=self.batch_size, seed=self.seed
            ),
            loss=batch_loss(self.loss),
            learning_rate=self.learning_rate,
            seed=self.seed,
            dtype=dtype,
            name=hashlib.sha256(json.dumps(content).encode()).hexdigest(),
        )

    @torch.inference_mode()
    def _encoded(self, ids: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """(n, w) vectors of length one, in the order of the rows."""
        found: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(ids)
        for batch in batches([len(one) for one in ids], tokens=_ENCODED_TOGETHER):
            rows = [ids[row] for row in batch]
            vectors, computed = vectors_of(self.encoder_, rows, len(rows))
            self._meter.add(computed_tokens=computed)
            unit = torch.nn.functional.normalize(vectors, dim=-1).cpu().numpy()
            for row, vector in zip(batch, unit, strict=True):
                found[row] = vector
        return np.stack(found)
