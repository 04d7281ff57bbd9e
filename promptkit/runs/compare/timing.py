"""What a cell will take: measured on a few rows first, then corrected by every cell that ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from promptkit.runs.compare.nouns import Cell, Planned

#: Held-out rows by which the time of a prediction is measured.
TIMED = 32


class Timing:
    """Seconds of one entry's cells.

    A fit is taken to cost what the measured ones with the nearest numbers of rows say, and beyond
    them as much more for each row as between the fewest and the most; a prediction likewise. Fits
    that begin with nothing
    known, and predictions of rows that the entry has not read, are apart from the others, which
    find much of it in memory.
    """

    def __init__(self) -> None:
        self._fits: dict[bool, dict[int, list[float]]] = {True: {}, False: {}}
        self._predictions: dict[bool, dict[int, list[float]]] = {True: {}, False: {}}
        self._rest: list[float] = []
        self._assumed = 0.0

    def add(
        self,
        n_train: int,
        fit_seconds: float,
        n_held: int,
        predict_seconds: float,
        *,
        fresh: bool = True,
        new: bool = True,
        rest: float | None = None,
    ) -> None:
        """Take in a measured cell; real cells replace the pilot's word as they come in.

        Args:
            n_train: Rows of the fit.
            fit_seconds: What it took.
            n_held: Rows that were predicted.
            predict_seconds: What that took.
            fresh: Whether the fit began with nothing known.
            new: Whether the entry had not read the predicted rows before.
            rest: What else it took to measure costs; None where they were not.
        """
        self._fits[fresh].setdefault(n_train, []).append(fit_seconds)
        if n_held:
            self._predictions[new].setdefault(n_held, []).append(predict_seconds)
        if rest is not None:
            self._rest.append(rest)

    def add_cell(self, cell: Cell, new: bool = True) -> None:
        """The same for a finished cell; one that failed says nothing."""
        if cell.problem:
            return
        rest = max(0.0, cell.seconds - cell.fit_seconds - cell.predict_seconds)
        self.add(
            cell.n_train, cell.fit_seconds, len(cell.predicted), cell.predict_seconds,
            fresh=cell.is_fresh, new=new, rest=rest if cell.is_fresh else None,
        )  # fmt: skip

    def assume(self, row_seconds: float) -> None:
        """What a row takes until one has been predicted."""
        self._assumed = row_seconds

    @property
    def row_seconds(self) -> float:
        """Seconds of each of a thousand rows that the entry has not read; 0 without a measure."""
        return _along(self._predictions[True], 1000) / 1000

    def seconds(self, n_train: int, n_held: int, *, fresh: bool = False, new: bool = True) -> float:
        """Predicted seconds; 0 where nothing was measured."""
        return self._fit(n_train, fresh) + self._predict(n_held, new)

    def of(self, cell: Planned) -> float:
        """Predicted seconds of a cell, with what is measured in it for its costs."""
        found = self.seconds(cell.n_train, cell.n_held, fresh=cell.is_fresh, new=cell.new)
        if not cell.is_fresh:
            return found
        return found + (_mean(self._rest) if self._rest else self._predict(TIMED, True))

    def _predict(self, n: int, new: bool) -> float:
        """Seconds of n rows; as of rows of the other kind where none of this one were measured."""
        own = self._predictions[new] or self._predictions[not new]
        if not own or not n:
            return n * self._assumed
        most = max(own)
        # beyond what was measured a part that every prediction pays is lost in the others
        return _along(own, n) if len(own) > 1 and n <= most else _mean(own[most]) * n / most

    def _fit(self, n: int, fresh: bool) -> float:
        own, other = self._fits[fresh], self._fits[not fresh]
        if not own:
            return _along(other, n)
        if len(own) == 1 and n not in own and other:
            # one point has no slope; the other kind's is taken, scaled to it
            (at,) = own
            there = _along(other, at)
            if there > 0:
                return _along(other, n) * _mean(own[at]) / there
        return _along(own, n)


def _along(fits: Mapping[int, Sequence[float]], n: int) -> float:
    """Seconds with n rows, by measured ones with fewer and more."""
    if not fits:
        return 0.0
    points = [(rows, _mean(fits[rows])) for rows in sorted(fits)]
    low, high = points[0], points[-1]
    if low == high:
        return low[1] * max(1.0, n / max(low[0], 1))
    for (before, first), (after, second) in pairwise(points):
        if before <= n <= after:
            return first + (second - first) * (n - before) / (after - before)
    slope = max(0.0, (high[1] - low[1]) / (high[0] - low[0]))
    if n > high[0]:
        return high[1] + slope * (n - high[0])
    return max(0.0, low[1] - slope * (low[0] - n))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
