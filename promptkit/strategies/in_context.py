"""Zero-shot and few-shot: a frozen model reads an instruction and perhaps some demonstrations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from promptkit.errors import DataError
from promptkit.prompts.template import Template
from promptkit.protocols import NO_CONTEXT, Backend, FitContext, Selector, Verbalizer
from promptkit.strategies.rows import read_rows, write_rows
from promptkit.types import Cost, Evidence, Example, Prediction
from promptkit.verbalizers.conclude import prediction_of


class InContext:
    """Asks a frozen model, row by row.

    Args:
        template: How the task is put.
        backend: The model.
        selector: Chooses the demonstrations.
        verbalizer: Turns evidence about words into evidence about labels.
        shots: Demonstrations of a prompt.
    """

    def __init__(
        self,
        template: Template,
        backend: Backend,
        selector: Selector,
        verbalizer: Verbalizer,
        shots: int = 0,
    ) -> None:
        self.template, self.backend = template, backend
        self.selector, self.verbalizer, self.shots = selector, verbalizer, shots

    @property
    def cost(self) -> Cost:
        """What the model has done so far."""
        return self.backend.cost

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Give the selector its pool; nothing is trained."""
        self.pool_ = tuple(train) if self.shots else ()
        if self.shots:
            self.selector.fit(train)
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """Evidence for each row's own candidates, in the order of the rows."""
        if self.shots and hasattr(self.selector, "prepare"):
            self.selector.prepare(examples)
        prompts = [self.template.prompt(example, self._shots(example)) for example in examples]
        candidates = [self.template.candidates(e, self.backend.reads) for e in examples]
        return self.backend.score(prompts, candidates)

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """Predictions from stored evidence alone."""
        return [self._conclude(e, found) for e, found in zip(examples, evidence, strict=True)]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Both in one."""
        return self.conclude(examples, self.gather(examples))

    def describe(self) -> Mapping[str, Any]:
        """What of this enters a run's fingerprint; parts describe themselves elsewhere."""
        return {"name": "in_context", "shots": self.shots}

    def save(self, folder: Path) -> None:
        """Keep the rows that demonstrations come from."""
        write_rows(folder / "pool.jsonl", self.pool_)

    def restore(self, folder: Path) -> Self:
        """Take up the rows again."""
        return self.fit(read_rows(folder / "pool.jsonl"))

    def _shots(self, example: Example) -> list[Example]:
        if not self.shots:
            return []
        shots = self.selector.select(example, self.shots)
        if any(shot.id == example.id for shot in shots):
            raise DataError(
                f"row {example.id!r} would be its own demonstration: selector "
                f"{type(self.selector).__name__} breaks its contract"
            )
        return shots

    def _conclude(self, example: Example, evidence: Evidence) -> Prediction:
        labels = self.template.labels_of(example)
        if evidence.problem or not evidence.log_p:
            return prediction_of(None, labels, evidence)
        candidates = self.template.candidates(example, self.backend.reads)
        return prediction_of(self.verbalizer.pool(evidence, candidates, labels), labels, evidence)
