"""The rows that demonstrations are drawn from, each text once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import DataError, SpecError
from promptkit.selectors.copies import copy_key
from promptkit.types import Example, label_key


@dataclass(frozen=True)
class Pool:
    """Distinct rows in the order of their ids, so that the order of the file decides nothing.

    A text that stands in several rows counts once, as the row with the lowest id, even where their
    labels disagree: two shots with one text and two answers teach nothing.

    Args:
        rows: The rows kept.
        by_id: Where each id stands in ``rows``.
        by_text: Where each `copy_key` stands in ``rows``.
    """

    rows: tuple[Example, ...]
    by_id: Mapping[str, int]
    by_text: Mapping[str, int]

    @classmethod
    def of(cls, rows: Iterable[Example]) -> Pool:
        """Keep one row of each text.

        Raises:
            DataError: A row has no label, or two different rows share an id.
        """
        by_text: dict[str, Example] = {}
        for row in sorted(checked(rows).values(), key=lambda row: row.id):
            by_text.setdefault(copy_key(row), row)
        kept = tuple(by_text.values())
        return cls(
            rows=kept,
            by_id={row.id: index for index, row in enumerate(kept)},
            by_text={key: index for index, key in enumerate(by_text)},
        )

    def barred(self, query: Example) -> set[int]:
        """Where the query, or a copy of it, stands in ``rows``: at most two places."""
        found = (self.by_id.get(query.id), self.by_text.get(copy_key(query)))
        return {index for index in found if index is not None}

    def by_label(self) -> dict[str, NDArray[np.intp]]:
        """Where the rows of each label stand, in ascending order; 1, True and "1" are three."""
        found: dict[str, list[int]] = {}
        for place, row in enumerate(self.rows):
            found.setdefault(repr(label_key(row.label)), []).append(place)
        return {label: np.array(places, np.intp) for label, places in found.items()}

    def others(self, query: Example) -> list[Example]:
        """The rows that may be shown to the query."""
        barred = self.barred(query)
        return [row for index, row in enumerate(self.rows) if index not in barred]


def checked(rows: Iterable[Example]) -> dict[str, Example]:
    """The rows by id, in the order given, a row that comes twice once.

    Raises:
        DataError: A row has no label, or two different rows share an id.
    """
    by_id: dict[str, Example] = {}
    for row in rows:
        if row.label is None:  # and not `if not row.label`: 0, False and "" are labels
            raise DataError(f"pool row {row.id!r} has no label; a demonstration needs one")
        if by_id.setdefault(row.id, row) != row:
            raise DataError(f"two rows of the pool have the id {row.id!r}; ids must be unique")
    return by_id


def check_k(k: int) -> None:
    """Fail on a number of demonstrations that cannot be shown.

    Raises:
        SpecError: k is negative.
    """
    if k < 0:
        raise SpecError(f"k is {k}; a prompt shows 0 demonstrations or more")
