"""How a row becomes the one text that a strategy learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from promptkit.errors import SpecError
from promptkit.prompts.flatten import flatten
from promptkit.prompts.template import Template
from promptkit.types import Example, Piece, Text


@dataclass(frozen=True)
class Reading:
    """The row's own text, or the prompt that a template makes of it.

    Args:
        fields: The row's fields; their values, one to a line, are the text.
        template: Renders the row as a prompt without demonstrations instead; the instruction then
            stands before every row, as a language model's features want it.

    Raises:
        SpecError: No field.
    """

    fields: tuple[str, ...]
    template: Template | None = None

    def __post_init__(self) -> None:
        if not self.fields:
            raise SpecError("a strategy that learns from text needs at least one field to read")

    def __call__(self, example: Example) -> Text:
        """The text, in pieces that know which of them came out of the row."""
        if self.template is not None:
            return flatten(replace(self.template.prompt(example), chat=False)).text
        values = [str(example.fields[name]) for name in self.fields]
        return (Piece("\n".join(values), row=True),)

    def describe(self) -> Mapping[str, Any]:
        """What of it can change a result."""
        if self.template is None:
            return {"fields": list(self.fields)}
        return {"template": self.template.name, "hash": self.template.hash()}
