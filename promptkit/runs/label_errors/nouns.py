"""What a search for wrong labels consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from promptkit.errors import SpecError
from promptkit.types import Cost, Scalar


@dataclass(frozen=True)
class Search:
    """How wrong labels are looked for.

    Args:
        strategy: Who says what a row is, having seen neither it nor a copy of it.
        options: Options of the strategy.
        model: ``minilm``, a folder or a hub id.
        folds: Parts that the rows are dealt into; each is answered by a model fitted on the others.
        repeats: How often they are dealt; the probabilities are averaged.
        seed: Of every draw.
        device: Where the model runs.
        dtype: Number format of the model.

    Raises:
        SpecError: Fewer than two folds, or no repeat.
    """

    strategy: str = "features"
    options: Mapping[str, Any] = field(default_factory=dict)
    model: str = "minilm"
    folds: int = 10
    repeats: int = 1
    seed: int = 0
    device: str = "auto"
    dtype: str = "auto"

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise SpecError(f"folds is {self.folds}; a row is answered without its own fold, so "
                            "that there are two or more")  # fmt: skip
        if self.repeats < 1:
            raise SpecError(f"repeats is {self.repeats}; rows are dealt into folds once or more")


@dataclass(frozen=True)
class Suspect:
    """A row whose label may be wrong.

    Args:
        id: Of the row.
        text: Its text.
        label: The label that it has.
        suggested: The most probable label.
        probability: Of the suggested label, by a model that has not seen the row.
        quality: Probability of the given label: near 0 is suspicious.
        row: All its columns.
    """

    id: str
    text: str
    label: Scalar
    suggested: Scalar
    probability: float
    quality: float
    row: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Contradiction:
    """One text with several labels.

    Args:
        text: The text.
        ids: Of its rows.
        labels: Of its rows, in the same order.
    """

    text: str
    ids: tuple[str, ...]
    labels: tuple[Scalar, ...]


@dataclass(frozen=True)
class LabelErrors:
    """What was found.

    Args:
        data: Where the rows came from.
        n: Rows that were looked at.
        labels: The labels.
        suspects: Rows whose labels may be wrong, the most suspicious first.
        contradictions: Texts that have several labels.
        strategy: Who answered, and the model.
        accuracy: Share of rows for which it says the given label.
        columns: The columns of the rows.
        label_column: The column that labels stand in.
        notes: Facts that a reader must know.
        cost: What the models did.
    """

    data: str
    n: int
    labels: tuple[Scalar, ...]
    suspects: tuple[Suspect, ...]
    contradictions: tuple[Contradiction, ...]
    strategy: str
    accuracy: float
    columns: tuple[str, ...]
    label_column: str
    notes: tuple[str, ...] = ()
    cost: Cost = field(default_factory=Cost)
