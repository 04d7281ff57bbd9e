"""Rows as prompts, each with demonstrations out of a pool of labelled rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from promptkit.errors import DataError
from promptkit.prompts.template import Template
from promptkit.protocols import Order, Selector
from promptkit.strategies.rows import read_rows, write_rows
from promptkit.types import Example, Prompt


class Demonstrated:
    """Puts rows as a template says.

    Args:
        template: How the task is put.
        selector: Chooses the demonstrations.
        shots: Demonstrations of a prompt.
        order: Arranges them; None leaves them as they were selected.
    """

    def __init__(
        self, template: Template, selector: Selector, shots: int, order: Order | None = None
    ) -> None:
        self.template, self.selector, self.shots = template, selector, shots
        self.order = order
        self.pool: tuple[Example, ...] = ()

    def take(self, train: Sequence[Example]) -> None:
        """The rows that demonstrations come from."""
        self.pool = tuple(train) if self.shots else ()
        if self.shots:
            self.selector.fit(train)
            if self.order is not None:
                self.order.fit(train)

    def prompts(self, examples: Sequence[Example]) -> list[Prompt]:
        """A prompt for each row."""
        shown = self.shown(examples)
        return [self.template.prompt(row, own) for row, own in zip(examples, shown, strict=True)]

    def shown(self, examples: Sequence[Example]) -> list[list[Example]]:
        """The demonstrations of each row."""
        if self.shots and hasattr(self.selector, "prepare"):
            self.selector.prepare(examples)
        found = [self._shots(example) for example in examples]
        if self.shots and self.order is not None and hasattr(self.order, "prepare"):
            self.order.prepare([*examples, *(shot for shots in found for shot in shots)])
        pairs = zip(examples, found, strict=True)
        return [arranged(self.order, example, shots) for example, shots in pairs]

    def save(self, folder: Path) -> None:
        """Keep the rows that demonstrations come from."""
        write_rows(folder / "pool.jsonl", self.pool)

    def restore(self, folder: Path) -> None:
        """Take them up again.

        Raises:
            StoreError: The file is missing or broken.
        """
        self.take(read_rows(folder / "pool.jsonl"))

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


def arranged(order: Order | None, example: Example, shots: list[Example]) -> list[Example]:
    """The shots in the order of the prompt.

    Raises:
        DataError: The order lost or added some.
    """
    if order is None or not shots:
        return shots
    found = order.arrange(example, shots)
    if sorted(shot.id for shot in found) != sorted(shot.id for shot in shots):
        raise DataError(
            f"row {example.id!r}: order {type(order).__name__} breaks its contract, as it does "
            "not give back the demonstrations that it was given"
        )
    return found
