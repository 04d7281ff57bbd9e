"""Zero-shot and few-shot: a frozen model reads an instruction and perhaps some demonstrations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import CapabilityError, SpecError
from promptkit.learners import LearnsOrder, LearnsShots, LearnsWords
from promptkit.prompts.channel import check_channel
from promptkit.prompts.premise import premise_prompt
from promptkit.prompts.template import Template
from promptkit.protocols import (
    NO_CONTEXT,
    Backend,
    FitContext,
    HasPremise,
    Learned,
    Order,
    Selector,
    Verbalizer,
)
from promptkit.strategies import calibrated
from promptkit.strategies.calibrated import Calibration
from promptkit.strategies.channel import ask_channel, channel_candidates
from promptkit.strategies.demonstrated import Demonstrated
from promptkit.strategies.kept_ids import read_ids, write_ids
from promptkit.strategies.learned_order import FILE as ORDER
from promptkit.strategies.learned_order import learn_order
from promptkit.strategies.learned_shots import FILE as SHOTS
from promptkit.strategies.learned_shots import learn_shots
from promptkit.strategies.learned_words import FILE as WORDS
from promptkit.strategies.learned_words import learn_words
from promptkit.types import Candidate, Cost, Evidence, Example, Prediction, Prompt
from promptkit.verbalizers.conclude import prediction_of


class InContext:
    """Asks a frozen model, row by row.

    Args:
        template: How the task is put.
        backend: The model.
        selector: Chooses the demonstrations.
        verbalizer: Turns evidence about words into evidence about labels.
        shots: Demonstrations of a prompt.
        calibration: What mends the labels' probabilities, and the rows that it learns from; None
            leaves them. It may have further questions, which are asked during the fit.
        order: Arranges the demonstrations; None leaves them as they were selected.

    Attributes:
        learned_: What the calibration learned; None where it learns from the rows that are
            concluded together.

    Raises:
        CapabilityError: A calibration, and rows that bring their own choices; or a task that is
            answered by a text.
    """

    def __init__(
        self,
        template: Template,
        backend: Backend,
        selector: Selector,
        verbalizer: Verbalizer,
        shots: int = 0,
        calibration: Calibration | None = None,
        order: Order | None = None,
    ) -> None:
        if template.writing:
            raise CapabilityError(
                f"template {template.name!r} is answered by a text, so that there are no labels to "
                "score; use --strategy generate"
            )
        if calibration is not None and template.choosing:
            raise CapabilityError(
                f"calibration needs labels that all rows share, and each row of template "
                f"{template.name!r} brings its own choices; use --calibration none"
            )
        learners = (
            (isinstance(order, LearnsOrder), "an order is learned", "--order random"),
            (isinstance(selector, LearnsShots), "shots are searched", "--selector balanced"),
            (isinstance(verbalizer, LearnsWords), "words are refined", "--verbalizer words"),
        )
        for learns, what, instead in learners:
            if learns and template.choosing:
                raise CapabilityError(
                    f"{what} for labels that all rows share, and each row of template "
                    f"{template.name!r} brings its own choices; use {instead}"
                )
        self.template, self.backend = template, backend
        self.selector, self.verbalizer, self.shots = selector, verbalizer, shots
        self.calibration, self.order = calibration, order
        self.learned_: Learned | None = None
        self._rows = Demonstrated(template, selector, shots, order)
        self._channel = calibration is not None and calibration.calibrator.asks == "channel"
        if self._channel:
            check_channel(template)
            if isinstance(verbalizer, LearnsWords):
                raise CapabilityError(
                    "channel scoring scores the row's text and not the labels' words; use "
                    "--verbalizer words"
                )

    @property
    def cost(self) -> Cost:
        """What the model has done so far."""
        return self.backend.cost

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Give the selector its pool, and the calibration its rows; nothing is trained.

        What is learned by asking (shots, then their order, words, and the calibration) is kept in
        the context's folder: a run that goes on does not ask again.
        """
        self.learned_ = None
        if isinstance(self.verbalizer, LearnsWords):
            self.verbalizer.take({})
        self._rows.take(train)
        if isinstance(self.selector, LearnsShots) and self.shots:
            parts = self.template, self.shots, self._pooled_prompts
            learn_shots(self.selector, *parts, context.folder, context.on_step)
        if isinstance(self.order, LearnsOrder) and self.shots:
            learn_order(
                self.order,
                self.template,
                self.selector,
                self.shots,
                train,
                self._pooled_prompts,
                context.folder,
            )
        if isinstance(self.verbalizer, LearnsWords):
            self._learn_words(self.verbalizer, train, context.folder)
        if self.calibration is not None:
            self.learned_ = calibrated.learn(
                self.calibration,
                train,
                self.template.task.labels,
                self.template.task.fields,
                lambda rows: self._all_pooled(rows, self._ask(rows)),
                self._premise,
                context.folder,
            )
        return self

    def prompts(self, examples: Sequence[Example]) -> list[Prompt]:
        """What the model is asked about each row, demonstrations included, before it is cut."""
        return self._rows.prompts(examples)

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """Evidence for each row's own candidates, in the order of the rows."""
        return self.marked(examples, self._ask(examples))

    def marked(self, examples: Sequence[Example], found: list[Evidence]) -> list[Evidence]:
        """The evidence with what the calibration makes of it, where it has learned beforehand."""
        calibration, learned = self.calibration, self.learned_
        if calibration is None and isinstance(self.verbalizer, LearnsWords):
            pooled = self._all_pooled(examples, found)
            return [
                one if row is None else replace(one, calibrated=tuple(row.tolist()))
                for row, one in zip(pooled, found, strict=True)
            ]
        if calibration is None or learned is None:
            return found
        pooled = self._all_pooled(examples, found)
        return [
            replace(one, calibrated=calibrated.mended(calibration, learned, row))
            for row, one in zip(pooled, found, strict=True)
        ]

    def _ask(self, examples: Sequence[Example]) -> list[Evidence]:
        if self._channel:
            shown = self._rows.shown(examples)
            return ask_channel(self.backend, self.template, examples, shown)
        prompts = self.prompts(examples)
        candidates = [self._candidates(example) for example in examples]
        found = self.backend.score(prompts, candidates)
        if self.calibration is not None and any(one.decided for one in found):
            raise CapabilityError(
                f"calibration needs log-probabilities, and backend {self.backend.name!r} gives "
                "bare decisions for this prompt; use --calibration none"
            )
        return found

    def _pooled_prompts(
        self, examples: Sequence[Example], prompts: Sequence[Prompt]
    ) -> list[NDArray[np.float64] | None]:
        candidates = [self.template.candidates(row, self.backend.reads) for row in examples]
        found = self.backend.score(prompts, candidates)
        labels = self.template.task.labels
        return [
            self.verbalizer.pool(one, own, labels) if one.log_p and not one.decided else None
            for one, own in zip(found, candidates, strict=True)
        ]

    def _learn_words(
        self, verbalizer: LearnsWords, train: Sequence[Example], folder: Path | None
    ) -> None:
        if self.calibration is not None and self.calibration.chosen(train) is None:
            raise SpecError(
                f"calibration {self.calibration.name!r} would learn from the evaluated rows, and "
                "words are refined beforehand; use --calibration-rows train, or --verbalizer words"
            )
        template = self.template
        words = template.candidates(train[0], self.backend.reads) if train else ()
        learn_words(verbalizer, train, template.task.labels, words, self._ask, folder)

    def _premise(self) -> NDArray[np.float64] | None:
        """(k,) what is answered behind the calibrator's premise."""
        calibrator = self.calibration.calibrator if self.calibration else None
        assert isinstance(calibrator, HasPremise)
        row = Example("premise", dict.fromkeys(self.template.task.fields, ""))
        prompt = premise_prompt(self.template, calibrator.premise)
        return self._pooled(row, self.backend.score([prompt], [self._candidates(row)])[0])

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """Predictions from stored evidence alone."""
        pooled = self._all_pooled(examples, evidence)
        if self.calibration is not None:
            labels = self.template.task.labels
            return calibrated.conclude(self.calibration, pooled, evidence, labels)
        if isinstance(self.verbalizer, LearnsWords):  # what was learned stands in the evidence
            pooled = [
                np.array(one.calibrated) if one.calibrated else row
                for row, one in zip(pooled, evidence, strict=True)
            ]
        return [
            prediction_of(row, self.template.labels_of(example), found)
            for row, example, found in zip(pooled, examples, evidence, strict=True)
        ]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Both in one."""
        return self.conclude(examples, self.gather(examples))

    def describe(self) -> Mapping[str, Any]:
        """What of this enters a run's fingerprint; parts describe themselves elsewhere."""
        mended = self.calibration.described() if self.calibration is not None else {}
        return {"name": "in_context", "shots": self.shots, **mended}

    def save(self, folder: Path) -> None:
        """Keep the rows that demonstrations come from, and what the calibration learned."""
        self._rows.save(folder)
        if isinstance(self.selector, LearnsShots) and self.shots:
            write_ids(folder / SHOTS, self.selector.searched())
        if isinstance(self.order, LearnsOrder) and self.shots:
            write_ids(folder / ORDER, self.order.learned())
        if isinstance(self.verbalizer, LearnsWords):
            calibrated.write_learned(folder / WORDS, dict(self.verbalizer.refined()))
        if self.learned_ is not None:
            calibrated.write_learned(folder / calibrated.FILE, self.learned_)

    def restore(self, folder: Path) -> Self:
        """Take them up again.

        Raises:
            StoreError: A file is missing or broken.
        """
        self.learned_ = None
        self._rows.restore(folder)
        if isinstance(self.selector, LearnsShots) and self.shots:
            self.selector.take(read_ids(folder / SHOTS))
        if isinstance(self.order, LearnsOrder) and self.shots:
            self.order.take(read_ids(folder / ORDER))
        if isinstance(self.verbalizer, LearnsWords):
            self.verbalizer.take(calibrated.read_learned(folder / WORDS))
        kept = folder / calibrated.FILE
        if self.calibration is not None and (
            kept.is_file() or not self.calibration.learns_from_evidence
        ):
            self.learned_ = calibrated.read_learned(kept)
        return self

    def _all_pooled(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[NDArray[np.float64] | None]:
        return [self._pooled(row, one) for row, one in zip(examples, evidence, strict=True)]

    def _pooled(self, example: Example, evidence: Evidence) -> NDArray[np.float64] | None:
        """(k,) evidence about the row's labels; None where there is none."""
        if evidence.problem or not evidence.log_p:
            return None
        labels = self.template.labels_of(example)
        return self.verbalizer.pool(evidence, self._candidates(example), labels)

    def _candidates(self, example: Example) -> Sequence[Candidate]:
        if self._channel:
            return channel_candidates(self.template, example)
        return self.template.candidates(example, self.backend.reads)
