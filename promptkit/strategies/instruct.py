"""Instruction tuning: a causal language model learns to answer prompts (Wei et al. 2022).

All that is trained is what it writes behind a prompt: there is no head, and what comes out is asked
like any other language model, through the same template.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from promptkit.backends.hf import HFBackend
from promptkit.backends.meter import Meter
from promptkit.backends.weights import Located, locate
from promptkit.errors import DataError, StoreError
from promptkit.prompts.template import Template
from promptkit.protocols import NO_CONTEXT, FitContext
from promptkit.selectors.none import NoneSelector
from promptkit.strategies.answers import Answered
from promptkit.strategies.base_record import base_facts, check_base, read_facts, write_facts
from promptkit.strategies.classified import targets_of
from promptkit.strategies.generate import Generate
from promptkit.strategies.in_context import InContext
from promptkit.strategies.language_tuning import LanguageOptions, LanguageTuning, TunedLanguage
from promptkit.types import Candidate, Cost, Evidence, Example, Prediction
from promptkit.verbalizers.words import WordsVerbalizer

_FACTS, _MODEL, _ADAPTER = "instruct.json", "model", "adapter"


class Instruct:
    """Tunes a causal language model on a task's prompts and their right answers.

    Args:
        template: How the task is put; rows are asked through it too.
        model: A folder of a causal language model, or a hub id.
        dtype: What predictions are computed in.
        seed: Of batches, adapters and dropout.
        device: Where the model runs.
        options: Those of `LanguageOptions`.

    Raises:
        SpecError: An option that cannot be.
    """

    name = "instruct"

    def __init__(
        self,
        template: Template,
        *,
        model: str,
        way: str = "full",
        rank: int = 16,
        alpha: int = 32,
        learning_rate: float | None = None,
        epochs: int = 3,
        batch_size: int = 8,
        accumulation: int = 1,
        weight_decay: float = 0.01,
        warmup: float = 0.1,
        checkpointing: bool = False,
        max_tokens: int | None = None,
        precision: str = "auto",
        seed: int = 0,
        device: str = "auto",
        dtype: str = "auto",
        virtual_tokens: int = 20,
    ) -> None:
        self.template, self.model, self.dtype = template, model, dtype
        self.options = LanguageOptions(
            way, rank, alpha, learning_rate, epochs, batch_size, accumulation, weight_decay, warmup,
            checkpointing, max_tokens, precision, seed, device, virtual_tokens,
        )  # fmt: skip
        self._meter = Meter()
        self._spent = Cost()
        self._made: Path | None = None
        self._backend: HFBackend | None = None
        self.tuned_: TunedLanguage | None = None

    @property
    def cost(self) -> Cost:
        """What was computed so far, in training and after."""
        serving = self._backend.cost if self._backend is not None else Cost()
        return self._meter.cost + self._spent + serving

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Learn the rows' answers.

        Raises:
            DataError: No row, or one without a label.
            CapabilityError: No causal language model.
            BackendError: The model cannot be loaded, training diverged, or changed nothing.
        """
        if not train:
            raise DataError(f"strategy {self.name!r} learns from labelled rows, and there are none")
        if self.template.task.labels:
            targets_of(train, self.template.task.labels)
        located = locate(self.model)
        with self._meter.timed():
            tuning = self._tuning(located)
            self.tuned_ = self._learn(tuning, train, context)
            self._made = self._folder()
            tuning.save(self._made / self._part)
        self._facts = {"base": base_facts(located), **vars(self.tuned_)}
        self._serve(self._made)
        self._meter.add(trained_parameters=self.tuned_.trained_parameters)
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """What the tuned model says to each row's prompt."""
        return self._asking().gather(examples)

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """Predictions from stored evidence alone."""
        return self._asking().conclude(examples, evidence)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Both in one."""
        return self._asking().predict(examples)

    def describe(self) -> Mapping[str, Any]:
        """Its options, those of where it runs left out."""
        return {"name": self.name, **self.options.described()}

    def card_facts(self) -> dict[str, Any]:
        """What a reader of a saved model wants to know about its training."""
        found = self.tuned_
        if found is None:
            return {}
        return {
            "epochs": self.options.epochs,
            "learning rate": self.options.rate,
            "trained parameters": found.trained_parameters,
            "answer tokens": found.tokens,
        }

    def save(self, folder: Path) -> None:
        """The tuned model as transformers writes it, or the adapter as peft does."""
        if self._made is None:
            raise StoreError(f"strategy {self.name!r} was not fitted; there is nothing to save")
        shutil.copytree(self._made / self._part, folder / self._part)
        write_facts(folder / _FACTS, self._facts)

    def restore(self, folder: Path) -> Self:
        """Take up what was tuned.

        Raises:
            StoreError: A file is missing or broken.
            BackendError: The adapter belongs to another model.
        """
        facts = read_facts(folder / _FACTS, "base", "trained_parameters", "rows", "tokens")
        if self.options.way != "full":
            check_base(facts["base"], locate(self.model))
        if not (folder / self._part).is_dir():
            raise StoreError(f"{folder / self._part} is missing; save the model again")
        self._facts = facts
        self.tuned_ = TunedLanguage(
            facts["trained_parameters"], facts["rows"], tuple(facts["left_out"]), facts["tokens"]
        )
        self._serve(folder)
        return self

    def _folder(self) -> Path:
        """A folder for what is tuned, gone with this object or with the process."""
        made = tempfile.mkdtemp(prefix="promptkit-")
        weakref.finalize(self, shutil.rmtree, made, ignore_errors=True)
        return Path(made)

    def _tuning(self, located: Located) -> Any:
        """What tunes the model; its ``save`` writes what came of it."""
        return LanguageTuning(located, self.options, self._meter)

    def _learn(
        self, tuning: LanguageTuning, train: Sequence[Example], context: FitContext
    ) -> TunedLanguage:
        return tuning.answers([answered(self.template, row) for row in train], context)

    @property
    def _part(self) -> str:
        return _MODEL if self.options.way == "full" else _ADAPTER

    def _serve(self, folder: Path) -> None:
        """Load what was written, and nothing else: what is measured is what is kept."""
        placed: dict[str, Any] = {"device": self.options.device, "dtype": self.dtype}
        part = str(folder / self._part)
        if self.options.way != "full":
            placed |= {"model": self.model, "adapter": part}
        else:
            placed |= {"model": part}
        if self._backend is not None:
            self._spent += self._backend.cost
        self._backend = HFBackend(**placed)

    def _asking(self) -> InContext | Generate:
        backend: Any = self._backend or HFBackend
        if self.template.writing:
            return Generate(self.template, backend, NoneSelector())
        return InContext(self.template, backend, NoneSelector(), WordsVerbalizer())


def answered(template: Template, row: Example, shots: Sequence[Example] = ()) -> Answered:
    """A row's prompt and its right answer, as a demonstration would show it.

    Raises:
        DataError: The row has no label, or one that is not in use.
    """
    own = template.prompt(row, (*shots, row))
    shot = own.shots[-1]
    return Answered(replace(own, shots=own.shots[:-1]), Candidate(shot.label, shot.answer))
