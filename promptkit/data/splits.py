"""Seeded draws and splits that depend on the rows' ids and on nothing else about the file.

Sorting the file, adding a row to it or reading it in another format changes no other row's rank.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import zip_longest

from promptkit.data.ids import canonical
from promptkit.errors import DataError
from promptkit.types import Example


def sample(examples: Sequence[Example], n: int, seed: int) -> list[Example]:
    """Draw n rows, as evenly over the labels as the rows allow.

    Draws of one seed are nested: the first 16 of a draw of 32 are the draw of 16, so that a
    learning curve adds rows and swaps none. Rows without a label count as one more label.

    Args:
        examples: What to draw from; ids must differ.
        n: How many.
        seed: Another seed, another draw.

    Returns:
        The rows, one label after the other: each prefix is balanced too.

    Raises:
        DataError: Fewer than n rows, or n is negative.
    """
    if not 0 <= n <= len(examples):
        raise DataError(f"cannot draw {n} rows of {len(examples)}; ask for 0 to {len(examples)}")
    groups = _ranked_groups(examples, seed)
    turns = zip_longest(*groups)
    drawn = [row for turn in turns for row in turn if row is not None]
    return drawn[:n]


def split(
    examples: Sequence[Example], fraction: float, seed: int
) -> tuple[list[Example], list[Example]]:
    """Split rows in two, each part with the labels in the proportions of the whole.

    Args:
        examples: What to split; ids must differ.
        fraction: The first part's share of the rows, between 0 and 1; its size is rounded to the
            nearest row. For one seed, the first part of a smaller fraction lies within that of a
            larger one.
        seed: Another seed, another split.

    Returns:
        Both parts, each in the order of ``examples``. A label with very few rows may be in one
        part only.

    Raises:
        DataError: ``fraction`` is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise DataError(f"cannot split off {fraction} of the rows; a fraction is between 0 and 1")
    # A row's place in its label's queue, as a share of the queue: taking the rows with the lowest
    # shares takes from every label in proportion, and hits the size exactly.
    places = [
        ((rank + 0.5) / len(group), _rank(row.id, seed), row.id)
        for group in _ranked_groups(examples, seed)
        for rank, row in enumerate(group)
    ]
    size = int(fraction * len(examples) + 0.5)
    first = {row_id for _, _, row_id in sorted(places)[:size]}
    return (
        [row for row in examples if row.id in first],
        [row for row in examples if row.id not in first],
    )


def _ranked_groups(examples: Sequence[Example], seed: int) -> list[list[Example]]:
    """The rows of each label in their seeded order; the labels in a seeded order too.

    A fixed order of labels would give the odd row of every draw to the same label.
    """
    groups: dict[str, list[Example]] = {}
    for row in examples:
        # The JSON text keeps 1, "1" and true apart.
        groups.setdefault(canonical(row.label), []).append(row)
    ordered = sorted(groups, key=lambda label: _rank(f"label {label}", seed))
    return [sorted(groups[label], key=lambda row: _rank(row.id, seed)) for label in ordered]


def _rank(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()
