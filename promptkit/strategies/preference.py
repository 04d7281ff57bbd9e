"""Alignment by preferences: a model learns that one answer is better than another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from promptkit.errors import CapabilityError, SpecError
from promptkit.prompts.template import Template
from promptkit.protocols import FitContext
from promptkit.selectors.draw import ranker
from promptkit.strategies.answers import Answered
from promptkit.strategies.instruct import Instruct, answered
from promptkit.strategies.language_tuning import LanguageTuning, TunedLanguage
from promptkit.strategies.option_checks import check_numbers
from promptkit.types import Candidate, Example, label_key


class Preference(Instruct):
    """Tunes a causal language model to prefer a row's label to another one (DPO).

    It is for a model that answers already, such as one that `Instruct` has tuned: what it raises is
    a difference, and a model that knows no answer has none. The wrong answer of a row is another
    label's word, drawn by the row's id.

    Args:
        beta: How dear it is to move away from the model as it was. The other arguments are those of
            `Instruct`; the learning rate is 5e-6 by default for all weights, and 5e-5 for adapters.

    Raises:
        SpecError: An option that cannot be.
    """

    name = "preference"

    def __init__(
        self,
        template: Template,
        *,
        model: str,
        beta: float = 0.1,
        learning_rate: float | None = None,
        way: str = "full",
        **options: Any,
    ) -> None:
        check_numbers(whole={}, above_0={"beta": beta}, shares={})
        if template.writing:
            raise CapabilityError(
                f"template {template.name!r} is answered by a text, and of a text nobody says what "
                "would be wrong; use --strategy instruct"
            )
        if way not in ("full", "lora"):
            raise SpecError("option 'way': preferences are learned by 'full' or 'lora'")
        self.beta = beta
        if learning_rate is None:
            learning_rate = 5e-6 if way == "full" else 5e-5
        super().__init__(template, model=model, learning_rate=learning_rate, way=way, **options)

    def describe(self) -> Mapping[str, Any]:
        """Its options, those of where it runs left out."""
        return {**super().describe(), "beta": self.beta}

    def _learn(
        self, tuning: LanguageTuning, train: Sequence[Example], context: FitContext
    ) -> TunedLanguage:
        rows = [preferred(self.template, row, self.options.seed) for row in train]
        return tuning.preferences(rows, self.beta, context)


def preferred(
    template: Template, row: Example, seed: int, shots: Sequence[Example] = ()
) -> Answered:
    """A row's prompt with its right answer and a wrong one.

    Raises:
        SpecError: All labels are said by the same words.
        DataError: The row has no label, or one that is not in use.
    """
    right = answered(template, row, shots)
    wrong = [
        candidate
        for candidate in first_words(template.candidates(row, "text"))
        if label_key(candidate.label) != label_key(right.answer.label)
        and candidate.text != right.answer.text
    ]
    if not wrong:
        raise SpecError(f"template {template.name!r}: row {row.id!r} has no wrong answer")
    rank = ranker(seed, f"wrong answer of {row.id}")
    return replace(right, wrong=min(wrong, key=lambda one: rank(repr(label_key(one.label)))))


def first_words(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Of each label the first word, which is the one that is learned."""
    found: dict[object, Candidate] = {}
    for candidate in candidates:
        found.setdefault(label_key(candidate.label), candidate)
    return list(found.values())
