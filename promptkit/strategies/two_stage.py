"""Two stages: the model goes on with its pre-training on unlabelled texts, then learns the task."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from promptkit.backends.meter import Meter
from promptkit.backends.torch_device import choose_device
from promptkit.backends.weights import locate
from promptkit.errors import SpecError, StoreError
from promptkit.protocols import NO_CONTEXT, FitContext, Strategy
from promptkit.strategies.answer_training import AnswerRecipe
from promptkit.strategies.base_record import read_facts, write_facts
from promptkit.strategies.classified import targets_of
from promptkit.strategies.further_training import go_on
from promptkit.strategies.inner import inner_strategy
from promptkit.strategies.option_checks import check_numbers
from promptkit.strategies.precision import training_dtype
from promptkit.strategies.randomness import own_randomness
from promptkit.strategies.reading import Reading
from promptkit.strategies.rows import check_rows_given, digits_of
from promptkit.strategies.several import Tally, part_of
from promptkit.types import Cost, Evidence, Example, Prediction, Scalar

_FACTS, _MODEL = "two_stage.json", "adapted"


class TwoStage:
    """Further pre-training on the user's texts, then another strategy (Gururangan et al. 2020).

    The texts are those of the unlabelled rows and of the training rows, whose labels are not read.
    A causal model learns to continue them, any other to fill masked tokens in.

    Args:
        labels: The task's labels.
        reading: How a row becomes text.
        unlabelled: Rows whose labels are not read; on the command line and in YAML, their file.
        of: The strategy of the second stage, such as ``full``, ``lora`` or ``features``.
        of_options: Its own options.
        label_rows: Rows that the template gives, for a strategy that learns from them.
        model: ``minilm``, a folder, or a hub id.
        learning_rate: Of the first stage, at its highest.
        epochs: Times that every text is seen in it.
        batch_size: Sequences of a step.
        mask: Share of the tokens that are hidden; causal models hide none.
        max_tokens: Texts are cut into sequences of so many.
        weight_decay: Of AdamW.
        warmup: Share of the steps in which the rate rises.
        precision: What a training step computes in: ``auto``, ``float32``, ``bfloat16``.
        seed: Of masks, batches and the second stage.
        device: Where the model runs.
        dtype: Number format of the model in the second stage.

    Raises:
        SpecError: No such strategy, or one that learns no fixed set of labels.
    """

    def __init__(
        self,
        labels: Sequence[Scalar],
        reading: Reading,
        *,
        unlabelled: Sequence[Example] = (),
        of: str = "full",
        of_options: Mapping[str, Any] | None = None,
        label_rows: Sequence[Example] = (),
        model: str = "minilm",
        learning_rate: float = 5e-5,
        epochs: int = 3,
        batch_size: int = 32,
        mask: float = 0.15,
        max_tokens: int = 128,
        weight_decay: float = 0.01,
        warmup: float = 0.1,
        precision: str = "auto",
        seed: int = 0,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        check_rows_given("unlabelled", unlabelled)
        self.labels, self.reading, self.unlabelled = labels, reading, unlabelled
        self.of, self.of_options, self.label_rows = of, of_options, label_rows
        self.model, self.learning_rate, self.epochs = model, learning_rate, epochs
        self.batch_size, self.mask, self.max_tokens = batch_size, mask, max_tokens
        self.weight_decay, self.warmup, self.precision = weight_decay, warmup, precision
        self.seed, self.device, self.dtype = seed, device, dtype
        self.fitted_ = self._second(model)
        self._meter, self._tally = Meter(), Tally()
        self._adapted: Path | None = None
        self.learned_: dict[str, int] = {}

    @property
    def cost(self) -> Cost:
        """What both stages and predictions have taken so far."""
        return self._meter.cost + self._tally.cost

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Learn the texts, then the labels.

        Raises:
            DataError: No row, or one whose label the task does not have.
            SpecError: An option that cannot be what it is.
            CapabilityError: A model whose pre-training cannot be gone on with.
        """
        recipe = self._recipe()
        targets_of(train, self.labels)
        first, second = part_of(context, 0, 2), part_of(context, 1, 2)
        made = tempfile.mkdtemp(prefix="promptkit-")
        weakref.finalize(self, shutil.rmtree, made, ignore_errors=True)
        self._adapted = Path(made) / _MODEL
        with self._meter.timed(), own_randomness(self.seed):
            found = go_on(
                locate(self.model),
                self._texts(train),
                recipe,
                self._adapted,
                mask=self.mask,
                max_tokens=self.max_tokens,
                meter=self._meter,
                device=choose_device(self.device),
                folder=first.folder,
                on_step=first.on_step,
            )
        self.learned_ = dict(vars(found))
        self.fitted_ = self._second(str(self._adapted))
        with self._tally.of(self.fitted_):
            self.fitted_.fit(train, second)
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """The evidence of the second stage."""
        with self._tally.of(self.fitted_):
            return self.fitted_.gather(examples)

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """As the strategy concludes."""
        return self.fitted_.conclude(examples, evidence)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Both in one."""
        return self.conclude(examples, self.gather(examples))

    def card_facts(self) -> dict[str, Any]:
        """What a reader of a saved model wants to know about its training."""
        own: Mapping[str, Any] = getattr(self.fitted_, "card_facts", dict)()
        tokens = self.learned_.get("tokens", 0)
        return {"tokens of the first stage": tokens, "second stage": self.of, **own}

    def describe(self) -> Mapping[str, Any]:
        """Its options, the strategy's own description, and the content of the rows."""
        names = ["learning_rate", "epochs", "batch_size", "mask", "max_tokens", "weight_decay"]
        names += ["warmup", "precision", "seed"]
        return {
            "name": "two_stage",
            "of": dict(self._second(self.model).describe()),
            **{name: getattr(self, name) for name in names},
            "unlabelled": digits_of(self.unlabelled),
        }

    def save(self, folder: Path) -> None:
        """Write the model of the first stage, and the second stage as its strategy does."""
        if self._adapted is None:
            raise StoreError("strategy 'two_stage' was not fitted; there is nothing to save")
        shutil.copytree(self._adapted, folder / _MODEL)
        self.fitted_.save(folder)
        write_facts(folder / _FACTS, self.learned_)

    def restore(self, folder: Path) -> Self:
        """Take it up again; needs no rows.

        Raises:
            StoreError: A file is missing or broken.
        """
        self.learned_ = dict(read_facts(folder / _FACTS, "tokens"))
        if not (folder / _MODEL).is_dir():
            raise StoreError(f"{folder / _MODEL} is missing; save the model again")
        self._adapted = folder / _MODEL
        self.fitted_ = self._second(str(self._adapted)).restore(folder)
        return self

    def _texts(self, train: Sequence[Example]) -> list[Any]:
        """Each text once, in an order of their own."""
        texts = [self.reading(row) for row in (*self.unlabelled, *train)]
        return sorted(dict.fromkeys(texts), key=repr)

    def _second(self, model: str) -> Strategy:
        """The strategy of the second stage, not fitted."""
        names = ("labels", "reading", "label_rows", "seed", "device", "dtype")
        shared = {**{name: getattr(self, name) for name in names}, "model": model}
        needs = frozenset({"labels", "reading", "model"})
        return inner_strategy("two_stage", self.of, self.of_options, shared, needs)

    def _recipe(self) -> AnswerRecipe:
        if not len(self.unlabelled):
            raise SpecError(
                "strategy 'two_stage' learns from texts without labels first; name their file "
                "with --option unlabelled=FILE"
            )
        check_numbers(
            whole={
                "epochs": self.epochs,
                "batch_size": self.batch_size,
                "max_tokens": self.max_tokens,
            },
            above_0={"learning_rate": self.learning_rate, "mask": self.mask},
            shares={"weight_decay": self.weight_decay, "warmup": self.warmup},
        )
        if self.mask >= 1:
            raise SpecError(f"option 'mask' is {self.mask!r}; it must be below 1")
        return AnswerRecipe(
            epochs=self.epochs,
            batch_size=self.batch_size,
            accumulation=1,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            warmup=self.warmup,
            checkpointing=False,
            seed=self.seed,
            dtype=training_dtype(self.precision, choose_device(self.device)),
        )
