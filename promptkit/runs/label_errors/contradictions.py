"""Copies of one text that have several labels: one of them at least is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.row_text import text_of
from promptkit.runs.label_errors.nouns import Contradiction
from promptkit.selectors.copies import copy_key
from promptkit.types import Example, Scalar, label_key


def contradictions(rows: Sequence[Example]) -> tuple[Contradiction, ...]:
    """Texts whose copies disagree, in the order of their first row.

    What makes two rows the same text is told in `promptkit.selectors.copies`.
    """
    by_text: dict[str, list[Example]] = {}
    for row in rows:
        by_text.setdefault(copy_key(row), []).append(row)
    return tuple(
        Contradiction(text_of(own[0]), tuple(row.id for row in own), tuple(map(_label, own)))
        for own in by_text.values()
        if len({label_key(row.label) for row in own}) > 1
    )


def _label(row: Example) -> Scalar:
    assert isinstance(row.label, str | int | float | bool)
    return row.label
