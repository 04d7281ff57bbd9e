"""A template whose rows are asked about again and again, with the same demonstrations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from promptkit.prompts.template import Template
from promptkit.types import Example, Prompt, Shot


class RepeatedTemplate(Template):
    """Renders each demonstration and each prompt once, for searches; says what `Template` says.

    What was rendered is found by the row's id, and taken only if it is the same object: a row
    that is made anew, with the id of another, is rendered anew.
    """

    def __init__(self, *told: Any) -> None:
        super().__init__(*told)
        self._shots: dict[str, tuple[Example, Shot]] = {}
        self._prompts: dict[tuple[str, ...], tuple[tuple[Example, ...], Prompt]] = {}

    @classmethod
    def of(cls, template: Template) -> Template:
        """The same template over the same labels; one that was imported as it is."""
        if template.keys.imported:
            return template
        labels = template.task.labels or None
        return cls(template.keys, template.file, labels, template.permutation)

    def prompt(self, example: Example, shots: Sequence[Example] = ()) -> Prompt:
        """See `Template.prompt`."""
        rows = (example, *shots)
        key = tuple(row.id for row in rows)
        known = self._prompts.get(key)
        if known is None or any(a is not b for a, b in zip(known[0], rows, strict=True)):
            known = self._prompts[key] = rows, super().prompt(example, shots)
        return known[1]

    def _shot(self, example: Example, common: Mapping[str, Any]) -> Shot:
        known = self._shots.get(example.id)
        if known is None or known[0] is not example:
            known = self._shots[example.id] = example, super()._shot(example, common)
        return known[1]
