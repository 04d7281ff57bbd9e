"""Zero-shot and few-shot: a frozen model reads an instruction and perhaps some demonstrations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from promptkit.errors import CapabilityError, StoreError
from promptkit.prompts.template import Template
from promptkit.protocols import (
    NO_CONTEXT,
    Backend,
    Calibrator,
    FitContext,
    Order,
    Selector,
    Verbalizer,
)
from promptkit.strategies import calibrated
from promptkit.strategies.calibrated import calibration_rows, log_prior
from promptkit.strategies.demonstrated import Demonstrated
from promptkit.types import Cost, Evidence, Example, Prediction
from promptkit.verbalizers.conclude import prediction_of

_PRIOR = "log_prior.safetensors"


class InContext:
    """Asks a frozen model, row by row.

    Args:
        template: How the task is put.
        backend: The model.
        selector: Chooses the demonstrations.
        verbalizer: Turns evidence about words into evidence about labels.
        shots: Demonstrations of a prompt.
        calibrator: Takes off what the model favours whatever the row says; None leaves it. One
            that needs rows learns from the training rows, their labels unread, and where they are
            fewer than ten from the rows that are concluded together.
        calibration: What the calibrator is called.
        order: Arranges the demonstrations; None leaves them as they were selected.

    Raises:
        CapabilityError: A calibrator, and rows that bring their own choices; or a task that is
            answered by a text.
    """

    def __init__(
        self,
        template: Template,
        backend: Backend,
        selector: Selector,
        verbalizer: Verbalizer,
        shots: int = 0,
        calibrator: Calibrator | None = None,
        calibration: str = "none",
        order: Order | None = None,
    ) -> None:
        if template.writing:
            raise CapabilityError(
                f"template {template.name!r} is answered by a text, so that there are no labels to "
                "score; use --strategy generate"
            )
        if calibrator is not None and template.choosing:
            raise CapabilityError(
                f"calibration needs labels that all rows share, and each row of template "
                f"{template.name!r} brings its own choices; use --calibration none"
            )
        self.template, self.backend = template, backend
        self.selector, self.verbalizer, self.shots = selector, verbalizer, shots
        self.calibrator, self.calibration = calibrator, calibration
        self.log_prior_: tuple[float, ...] = ()
        self._rows = Demonstrated(template, selector, shots, order)

    @property
    def cost(self) -> Cost:
        """What the model has done so far."""
        return self.backend.cost

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Give the selector its pool, and the calibrator its rows; nothing is trained.

        What the calibrator learned is kept in the context's folder: a run that goes on does not
        ask its rows again.
        """
        self.log_prior_ = ()
        self._rows.take(train)
        if self.calibrator is None or self.calibrator.needs != "unlabelled rows":
            return self
        rows = calibration_rows(train)
        kept = context.folder / _PRIOR if context.folder else None
        if kept is not None and kept.is_file():
            self.log_prior_ = _read_prior(kept)
        elif rows:
            pooled = [self._pooled(row, e) for row, e in zip(rows, self._ask(rows), strict=True)]
            self.log_prior_ = log_prior(pooled, self.calibrator)
            if kept is not None:
                _write_prior(kept, self.log_prior_)
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """Evidence for each row's own candidates, in the order of the rows."""
        found = self._ask(examples)
        if not self.log_prior_:
            return found
        return [replace(evidence, log_prior=self.log_prior_) for evidence in found]

    def _ask(self, examples: Sequence[Example]) -> list[Evidence]:
        prompts = self._rows.prompts(examples)
        candidates = [self.template.candidates(e, self.backend.reads) for e in examples]
        found = self.backend.score(prompts, candidates)
        if self.calibrator is not None and any(one.decided for one in found):
            raise CapabilityError(
                f"calibration needs log-probabilities, and backend {self.backend.name!r} gives "
                "bare decisions for this prompt; use --calibration none"
            )
        return found

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """Predictions from stored evidence alone."""
        pairs = list(zip(examples, evidence, strict=True))
        pooled = [self._pooled(example, found) for example, found in pairs]
        if self.calibrator is not None:
            named = f"{self.calibration} calibration"
            labels = self.template.task.labels
            return calibrated.conclude(pooled, evidence, labels, self.calibrator, named)
        return [
            prediction_of(row, self.template.labels_of(example), found)
            for row, (example, found) in zip(pooled, pairs, strict=True)
        ]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Both in one."""
        return self.conclude(examples, self.gather(examples))

    def describe(self) -> Mapping[str, Any]:
        """What of this enters a run's fingerprint; parts describe themselves elsewhere."""
        mended = {"calibration": self.calibration} if self.calibrator is not None else {}
        return {"name": "in_context", "shots": self.shots, **mended}

    def save(self, folder: Path) -> None:
        """Keep the rows that demonstrations come from, and what the model favours."""
        self._rows.save(folder)
        if self.calibrator is not None:
            _write_prior(folder / _PRIOR, self.log_prior_)

    def restore(self, folder: Path) -> Self:
        """Take them up again.

        Raises:
            StoreError: A file is missing or broken.
        """
        self.log_prior_ = ()
        self._rows.restore(folder)
        if self.calibrator is not None:
            self.log_prior_ = _read_prior(folder / _PRIOR)
        return self

    def _pooled(self, example: Example, evidence: Evidence) -> NDArray[np.float64] | None:
        """(k,) evidence about the row's labels; None where there is none."""
        if evidence.problem or not evidence.log_p:
            return None
        candidates = self.template.candidates(example, self.backend.reads)
        return self.verbalizer.pool(evidence, candidates, self.template.labels_of(example))


def _write_prior(file: Path, prior: tuple[float, ...]) -> None:
    """Write the file whole or not at all."""
    beside = file.with_name(f"{file.name}.new")
    try:
        save_file({"log_prior": np.array(prior)}, beside)
        beside.replace(file)
    except (OSError, SafetensorError) as error:
        raise StoreError(
            f"{file}: cannot be written ({error}); what is stored so far is kept"
        ) from error


def _read_prior(file: Path) -> tuple[float, ...]:
    try:
        return tuple(load_file(file)["log_prior"].tolist())
    except (OSError, KeyError, SafetensorError) as error:
        raise StoreError(f"{file}: cannot be read ({error}); save the model again") from error
