"""Prompt-based fine-tuning: a masked language model learns to say labels in a template's cloze.

What was pre-trained is used as it is, its head included: with few rows there is none to be learned
from nothing (Schick and Schütze 2021; Gao et al. 2021). A causal model is tuned so by `instruct`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from promptkit.backends.weights import Located
from promptkit.errors import CapabilityError
from promptkit.prompts.template import Template
from promptkit.protocols import FitContext
from promptkit.strategies.classified import targets_of
from promptkit.strategies.cloze_tuning import ClozeTuning
from promptkit.strategies.instruct import Instruct
from promptkit.strategies.language_tuning import TunedLanguage
from promptkit.strategies.preference import first_words
from promptkit.types import Example


class PromptBased(Instruct):
    """Tunes a masked language model on a template's cloze.

    Args:
        template: How the task is put; it needs a cloze.
        model: A folder of a masked language model, or a hub id.
        learning_rate: At its highest.
        epochs: Times that every row is seen; the other arguments are those of `Instruct`.

    Raises:
        CapabilityError: A template without labels that all rows share.
    """

    name = "prompt_based"

    def __init__(
        self,
        template: Template,
        *,
        model: str,
        learning_rate: float = 5e-5,
        epochs: int = 10,
        **options: Any,
    ) -> None:
        if template.writing or template.choosing:
            raise CapabilityError(
                f"template {template.name!r} has no labels that all rows share; use --strategy "
                "instruct with a causal language model"
            )
        super().__init__(
            template, model=model, learning_rate=learning_rate, epochs=epochs, **options
        )

    def _tuning(self, located: Located) -> ClozeTuning:
        return ClozeTuning(located, self.options, self._meter)

    def _learn(self, tuning: Any, train: Sequence[Example], context: FitContext) -> TunedLanguage:
        prompts = [self.template.prompt(row) for row in train]
        words = [first_words(self.template.candidates(row, "text")) for row in train]
        places = targets_of(train, self.template.task.labels)
        found: TunedLanguage = tuning.labels(prompts, words, places.tolist(), context)
        return found
