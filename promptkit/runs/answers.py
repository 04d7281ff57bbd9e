"""Rows of a file made ready to be answered, and their answers as columns beside their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

from promptkit.data.ids import content_id
from promptkit.data.values import is_missing, is_whole_text, plain
from promptkit.errors import SpecError
from promptkit.prompts import Template
from promptkit.prompts.imported import ImportedTemplate
from promptkit.runs.imported_rows import imported_example
from promptkit.runs.sure import Sure
from promptkit.types import Example, Kind, Prediction, Scalar

PREDICTED, PROBLEM, REPLY = "predicted", "problem", "reply"


@dataclass(frozen=True)
class AnswerColumns:
    """What is added to a row.

    Args:
        labels: The labels; empty where rows bring their choices.
        names: What columns of probabilities call the labels.
        proba: Whether there are columns of probabilities.
        prefix: Stands before every added name.
        reply: Whether there is a column of what the model wrote; it has no probabilities.
        sure: What is said of how sure the model is; None says nothing.
        kind: The kind of task, by which an answer is a label, several, or a number.
    """

    labels: tuple[Scalar, ...]
    names: tuple[str, ...]
    proba: bool = False
    prefix: str = ""
    reply: bool = False
    sure: Sure | None = None
    kind: Kind = "classify"

    @property
    def added(self) -> tuple[str, ...]:
        """The added columns in order."""
        return tuple(self.kinds)

    @property
    def kinds(self) -> dict[str, type]:
        """What the values of the added columns are."""
        several = self.kind in ("multilabel", "tag")
        own = tuple if several else float if self.kind == "rate" else _kind(self.labels)
        kinds: dict[str, type] = {PREDICTED: own}
        kinds |= self.sure.kinds if self.sure else {}
        if self.proba and self.names:
            kinds |= {f"p:{name}": float for name in self.names}
        elif self.proba:
            kinds["p"] = list
        if self.reply:
            kinds[REPLY] = str
        kinds[PROBLEM] = str
        return {f"{self.prefix}{name}": kind for name, kind in kinds.items()}

    def check(self, columns: Sequence[str]) -> None:
        """Refuse to write over a column of the rows.

        Raises:
            SpecError: One of the names is taken.
        """
        taken = [name for name in self.added if name in columns]
        if taken:
            raise SpecError(
                f"the rows have a column {taken[0]!r} already; give the new ones other names with "
                "--prefix model_"
            )

    def of(
        self, prediction: Prediction | None, problem: str, choices: Any = None
    ) -> dict[str, Any]:
        """The added values of one row."""
        label = None if prediction is None else prediction.label
        if choices is not None and isinstance(label, int):
            label = str(choices[label])
        values: list[Any] = [label]
        values += self.sure.of(prediction) if self.sure else []
        if self.proba:
            log_p = None if prediction is None else prediction.log_p
            shares = None if log_p is None else [exp(one) for one in log_p]
            values += [shares] if not self.names else shares or [None] * len(self.names)
        if self.reply:
            values.append(None if prediction is None else prediction.text)
        return dict(zip(self.added, [*values, problem], strict=True))


def _kind(labels: Sequence[Scalar]) -> type:
    kinds = {type(label) for label in labels}
    return kinds.pop() if len(kinds) == 1 else str


def example_of(
    row: Mapping[str, Any], template: Template, columns: Mapping[str, str]
) -> tuple[Example | None, str]:
    """A row as the model reads it, or why it cannot be read.

    Its id is a hash of what it says, so that an answer depends on nothing else.

    Args:
        row: All its columns.
        template: Whose fields are read.
        columns: The column of each field.
    """
    if isinstance(template, ImportedTemplate):
        return imported_example(row, template, columns)
    fields = {}
    for name in template.task.fields:
        column = columns[name]
        if column not in row:
            return None, f"no {column!r}"
        value, problem = _field(row[column])
        if problem:
            return None, f"{column!r} {problem}"
        fields[name] = value
    if template.choosing:
        choices = fields[template.task.choices or ""]
        if not isinstance(choices, list) or len({str(one).strip() for one in choices}) < 2:
            return None, f"{columns[template.task.choices or '']!r} holds no list of choices"
    return Example(content_id(fields), fields), ""


def _field(raw: Any) -> tuple[Any, str]:
    try:
        value = None if is_missing(raw) else plain(raw)
    except TypeError as error:
        return None, f"holds {error}"
    if isinstance(value, int | float):
        value = str(value)
    if value is None or value in ([], {}) or (isinstance(value, str) and not value.strip()):
        return None, "is empty"
    texts = value if isinstance(value, list) else [value]
    if any(isinstance(text, str) and not is_whole_text(text) for text in texts):
        return None, "holds half a character (a lone surrogate)"
    return value, ""
