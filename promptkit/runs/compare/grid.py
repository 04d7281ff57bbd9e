"""Cells as arrays: who was right on which held-out row of which draw."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from promptkit.metrics.rows import Floats
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
        confidence: (n,) probability of the predicted label; NaN where there is none. Empty in
            cells that were kept before this was.
    """

    predicted: NDArray[np.int64]
    gold: NDArray[np.int64]
    places: NDArray[np.int64]
    n_train: int
    confidence: Floats = field(default_factory=lambda: np.empty(0))

    @property
    def right(self) -> NDArray[np.bool_]:
        """(n,) whether each row is right; an unscored one is wrong."""
        right: NDArray[np.bool_] = self.predicted == self.gold
        return right

    def repeated(self, counts: NDArray[np.int64]) -> Outcome:
        """Each row so many times as its place says; further ones count as rows of their own."""
        times = counts[self.places]
        kept = np.repeat(np.arange(len(times)), times)
        which = np.arange(len(kept)) - np.repeat(np.cumsum(times) - times, times)
        places = self.places[kept] + which * len(counts)
        return Outcome(self.predicted[kept], self.gold[kept], places, self.n_train)

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

    def without(self, draws: Collection[int]) -> Grid:
        """The grid without some draws."""
        return self._changed(
            lambda own: {draw: one for draw, one in own.items() if draw not in draws}
        )

    def resampled(self, counts: NDArray[np.int64]) -> Grid:
        """The grid as if each held-out place occurred so many times.

        Args:
            counts: (n,) for each place of the data.
        """

        def drawn(own: dict[int, Outcome]) -> dict[int, Outcome]:
            found = {draw: one.repeated(counts) for draw, one in own.items()}
            return {draw: one for draw, one in found.items() if len(one.gold)}

        return self._changed(drawn)

    def _changed(self, change: Callable[[dict[int, Outcome]], dict[int, Outcome]]) -> Grid:
        other = Grid((), (), ())
        other._found = {key: change(own) for key, own in self._found.items()}
        return other

    def _outcomes(self, cell: Cell) -> dict[int, Outcome]:
        predicted = np.array(cell.predicted, np.int64)
        if cell.draw != EVERY_ROW:
            held = np.array(self._draws[cell.draw].held, np.int64)
            sure = _confidence(cell)
            return {cell.draw: Outcome(predicted, self._gold[held], held, cell.n_train, sure)}
        whole = np.full(len(self._gold), -1, np.int64)
        whole[self._every] = predicted
        sure = np.full(len(self._gold), np.nan)
        if cell.confidence:
            sure[self._every] = _confidence(cell)
        found = {}
        for index, draw in self._draws.items():
            held = np.array(draw.held, np.int64)
            own = sure[held] if cell.confidence else np.empty(0)
            found[index] = Outcome(whole[held], self._gold[held], held, cell.n_train, own)
        return found


def _confidence(cell: Cell) -> Floats:
    """Probabilities out of the thousandths that are kept."""
    found = np.array(cell.confidence, np.float64) / 1000
    found[found < 0] = np.nan
    return found
