"""Cells as arrays: who was right on which held-out row of which draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promptkit.runs.compare.nouns import Cell, Draw, Size
from promptkit.runs.compare.planning import EVERY_ROW


@dataclass(frozen=True)
class Outcome:
    """One entry at one size on one draw.

    Args:
        predicted: (n,) place of the predicted label of each held-out row; -1 is unscored.
        gold: (n,) place of its gold label.
        places: (n,) where the rows stand in the data.
        n_train: Rows that it was fitted on.
    """

    predicted: NDArray[np.int64]
    gold: NDArray[np.int64]
    places: NDArray[np.int64]
    n_train: int

    @property
    def right(self) -> NDArray[np.bool_]:
        """(n,) whether each row is right; an unscored one is wrong."""
        right: NDArray[np.bool_] = self.predicted == self.gold
        return right

    @property
    def accuracy(self) -> float:
        """Share of rows that are right."""
        return float(self.right.mean())


class Grid:
    """All cells of a comparison, by entry, size and draw.

    An entry that labelled rows do not change has one cell over all held-out rows; it stands in
    every draw with the rows of that draw.
    """

    def __init__(self, cells: Sequence[Cell], golds: Sequence[int], draws: Sequence[Draw]) -> None:
        self._gold = np.array(golds, np.int64)
        self._draws = {draw.index: draw for draw in draws}
        self._every = sorted({place for draw in draws for place in draw.held})
        self._found: dict[tuple[str, Size], dict[int, Outcome]] = {}
        for cell in cells:
            if not cell.problem:
                own = self._found.setdefault((cell.entry, cell.size), {})
                own.update(self._outcomes(cell))

    def of(self, entry: str, size: Size) -> dict[int, Outcome]:
        """Outcomes by draw; empty where there are none."""
        return self._found.get((entry, size), {})

    def _outcomes(self, cell: Cell) -> dict[int, Outcome]:
        predicted = np.array(cell.predicted, np.int64)
        if cell.draw != EVERY_ROW:
            held = np.array(self._draws[cell.draw].held, np.int64)
            return {cell.draw: Outcome(predicted, self._gold[held], held, cell.n_train)}
        whole = np.full(len(self._gold), -1, np.int64)
        whole[self._every] = predicted
        found = {}
        for index, draw in self._draws.items():
            held = np.array(draw.held, np.int64)
            found[index] = Outcome(whole[held], self._gold[held], held, cell.n_train)
        return found
