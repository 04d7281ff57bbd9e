"""What is said about one row, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite
from typing import Any

from promptkit.prompts.template import Template
from promptkit.runs.sure import ABSTAINED, LABEL_SET, Sure
from promptkit.serving.rows import ReadRow
from promptkit.types import Prediction


@dataclass(frozen=True)
class Answers:
    """Puts predictions into words that programs read.

    Args:
        template: Of the task.
        names: What labels are called where they are keys; the labels themselves keep their type.
        sure: Decides whether a row is answered at all, and which labels its set has; None says
            nothing of either.
        writes: Whether answers are read from what a model wrote.
    """

    template: Template
    names: tuple[str, ...]
    sure: Sure | None
    writes: bool

    def of(
        self, row: ReadRow, prediction: Prediction | None, problem: str, prompt: Any = None
    ) -> dict[str, Any]:
        """The answer to one row; without a prediction it is the reason why there is none.

        Args:
            row: As it was read.
            prediction: What the model said.
            problem: Why it said nothing.
            prompt: What it read, where that was asked for.
        """
        found: dict[str, Any] = {} if row.id is None else {"id": row.id}
        label = None if prediction is None else prediction.label
        choices = self._choices(row)
        if choices is not None and isinstance(label, int):
            label = choices[label]
        if prediction is not None and prediction.label is None:
            problem = prediction.problem or "no answer"
        found["label"] = list(label) if isinstance(label, tuple) else _number(label)
        found["probabilities"] = self._probabilities(prediction, choices)
        found |= self._sure(prediction)
        if self.writes:
            found["reply"] = prediction.text if prediction is not None else None
            found["agreement"] = prediction.agreement if prediction is not None else None
        found["cut_chars"] = prediction.cut_chars if prediction is not None else 0
        found["problem"] = problem or None
        if prompt is not None:
            found["prompt"] = prompt
        return found

    def _choices(self, row: ReadRow) -> list[str] | None:
        if not self.template.choosing or row.example is None:
            return None
        return [str(one) for one in row.example.fields[self.template.task.choices or ""]]

    def _probabilities(
        self, prediction: Prediction | None, choices: Sequence[str] | None
    ) -> dict[str, float | None] | None:
        """By label; None of a row that is not answered, and of a model that gives none."""
        if prediction is None or prediction.label is None or prediction.log_p is None:
            return None
        names = self.names if choices is None else choices
        shares = [min(exp(min(one, 0.0)), 1.0) for one in prediction.log_p]
        return dict(zip(names, map(_number, shares), strict=True))

    def _sure(self, prediction: Prediction | None) -> dict[str, Any]:
        """Whether it abstains, by which line; and its set of labels, where there are sets."""
        said: dict[str, Any] = {ABSTAINED: None, "threshold": None}
        if self.sure is None:
            return said
        said |= dict(zip(self.sure.kinds, self.sure.of(prediction), strict=True))
        if self.sure.threshold:
            said["threshold"] = _number(self.sure.threshold.above)
        return said

    @property
    def keys(self) -> tuple[str, ...]:
        """What stands in every answer, whatever the row."""
        more = ("reply", "agreement") if self.writes else ()
        sets = (LABEL_SET,) if self.sure is not None and self.sure.rule else ()
        own = ("label", "probabilities", ABSTAINED, "threshold", *sets)
        return (*own, *more, "cut_chars", "problem")


def json_bytes(content: Any) -> bytes:
    r"""JSON in UTF-8.

    What is half a character (a row's id may hold one) is written as its escape, ``\ud83d``, which
    is what JSON itself has for it.
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def _number(value: Any) -> Any:
    """The value; None in place of a number that JSON has no word for."""
    return None if isinstance(value, float) and not isfinite(value) else value
