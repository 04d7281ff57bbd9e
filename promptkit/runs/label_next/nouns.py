"""What a round of labelling consists of: what is asked, the rows, and what is suggested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from promptkit.errors import SpecError, nearest
from promptkit.prompts import Template
from promptkit.types import Cost, Example, Scalar

#: Ways of choosing rows, and what each looks for.
WAYS = {
    "auto": "informative; balanced until two labels have rows; random until labels are known",
    "informative": "rows that would make the model surer of all others",
    "margin": "rows that the model is least sure of",
    "committee": "rows that several models contradict each other about",
    "diverse": "unsure rows, one from each of n clusters",
    "typical": "typical rows of clusters without a label",
    "balanced": "a draw, with as many of each label as the model takes rows for",
    "random": "a draw",
}


@dataclass(frozen=True)
class Request:
    """How rows are chosen.

    Args:
        n: How many.
        by: One of `WAYS`.
        model: ``minilm``, a folder or a hub id.
        seed: Of every draw.
        device: Where the model runs.
        dtype: Number format of the model.

    Raises:
        SpecError: No such way, or no row asked for.
    """

    n: int = 50
    by: str = "auto"
    model: str = "minilm"
    seed: int = 0
    device: str = "auto"
    dtype: str = "auto"

    def __post_init__(self) -> None:
        if self.n < 1:
            raise SpecError(f"n is {self.n}; at least one row is suggested")
        if self.by not in WAYS:
            raise SpecError(f"no way {self.by!r} of choosing rows; {nearest(self.by, WAYS)}")


@dataclass(frozen=True)
class Round:
    """Where the labelling stands.

    Args:
        name: What the pool is called.
        template: Its labels settled, where they are known.
        labelled: Rows that have a label.
        pool: Rows that have none, each text once; none is a copy of a labelled one.
        rows: By id, all columns of a row of the pool as its file has them.
        columns: The columns of the pool.
        label_column: The column that labels are filled into.
        known: Whether there are labels to choose among.
        notes: What was left out, and why.
    """

    name: str
    template: Template
    labelled: tuple[Example, ...]
    pool: tuple[Example, ...]
    rows: Mapping[str, Mapping[str, Any]] = field(repr=False)
    columns: tuple[str, ...]
    label_column: str
    known: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suggestion:
    """A row to be labelled.

    Args:
        id: Of the row.
        text: Its text.
        row: All its columns.
        label: What the model takes it for; None where it cannot say.
        probability: Of that label.
        why: Why it is worth a label, for people.
    """

    id: str
    text: str
    row: Mapping[str, Any] = field(repr=False)
    label: Scalar | None
    probability: float | None
    why: str


@dataclass(frozen=True)
class ToLabel:
    """The rows to label next, the most valuable first.

    Args:
        data: Where they came from.
        rows: The suggestions.
        by: How they were chosen.
        model: Who said what they are; empty where nobody was asked.
        n_labelled: Rows that were learned from.
        n_pool: Different texts without a label.
        labels: The labels, where they are known.
        columns: The columns of the rows.
        label_column: The column that labels are filled into.
        notes: Facts that a reader must know.
        cost: What the models did.
    """

    data: str
    rows: tuple[Suggestion, ...]
    by: str
    model: str
    n_labelled: int
    n_pool: int
    labels: tuple[Scalar, ...]
    columns: tuple[str, ...]
    label_column: str
    notes: tuple[str, ...] = ()
    cost: Cost = field(default_factory=Cost)
