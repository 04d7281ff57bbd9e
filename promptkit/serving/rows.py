"""Rows of a request as the model reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promptkit.data.values import is_whole_text
from promptkit.errors import DataError
from promptkit.prompts.parts_asked import words_of
from promptkit.prompts.template import Template
from promptkit.runs.answers import example_of
from promptkit.types import Example

#: Lists in lists that a row may hold; a question and its choices need one.
DEEPEST = 8


@dataclass(frozen=True)
class ReadRow:
    """A row, or why it cannot be read.

    Args:
        example: What the model reads; None where it cannot.
        problem: Why it cannot; empty where it can.
        id: The name that the row itself brings; None where it brings none.
    """

    example: Example | None
    problem: str = ""
    id: str | int | None = None


@dataclass(frozen=True)
class Reader:
    """Reads rows for a model.

    Args:
        template: Whose fields are read.
        columns: The column of each field, by `promptkit.runs.saved_trial.columns_for`.
    """

    template: Template
    columns: Mapping[str, str]

    def read(self, row: Any) -> ReadRow:
        """The row as the model reads it; never an error, as the rows beside it may be sound.

        A text alone is the only field of a model that reads one. Further columns are left aside.
        """
        fields = self.template.task.fields
        if isinstance(row, str):
            if len(fields) > 1:
                read = ", ".join(map(repr, fields))
                return ReadRow(None, f"the row is a text alone, and {read} are read")
            row = {fields[0]: row}
        if not isinstance(row, dict):
            return ReadRow(None, "the row is neither an object with fields nor a text")
        own = row.get("id")
        named = own if isinstance(own, str | int) and not isinstance(own, bool) else None
        # where the column is not there, the field's own name is understood too
        columns = {
            name: name if column not in row and name in row else column
            for name, column in self.columns.items()
        }
        for column in columns.values():
            if problem := _unreadable(row.get(column)):
                return ReadRow(None, f"{column!r} {problem}", named)
        example, problem = example_of(row, self.template, columns)
        if example is None:
            return ReadRow(None, problem, named)
        return ReadRow(*self._checked(example), named)

    def _checked(self, example: Example) -> tuple[Example | None, str]:
        """Whether choices and words are what the template can put; one row is told, not all."""
        try:
            if self.template.choosing:
                self.template.labels_of(example)
            if self.template.task.words:
                words_of(example, self.template.task.words)
        except DataError as error:
            return None, without_name(str(error), example)
        return example, ""


def without_name(problem: str, example: Example) -> str:
    """A message without the row's name, which is a hash that nobody gave it."""
    return problem.removeprefix(f"row {example.id!r}: ")


def characters(row: Any) -> int:
    """All characters of a row, the names of its columns too, however deep they stand."""
    total, left = 0, [row]
    while left:
        value = left.pop()
        if isinstance(value, str):
            total += len(value)
        elif isinstance(value, list):
            left += value
        elif isinstance(value, dict):
            left += [*value, *value.values()]
    return total


def _unreadable(value: Any) -> str:
    """What `example_of` does not look for: depth, and half characters wherever they stand."""
    left = [(value, 0)]
    while left:
        one, depth = left.pop()
        if depth > DEEPEST:
            return "is nested too deeply"
        if isinstance(one, str) and not is_whole_text(one):
            return "holds half a character (a lone surrogate)"
        if isinstance(one, list):
            left += [(item, depth + 1) for item in one]
        elif isinstance(one, dict):
            left += [(item, depth + 1) for pair in one.items() for item in pair]
    return ""
