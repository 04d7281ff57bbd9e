"""What a cell will take: measured on a few rows first, then corrected by every cell that ends."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.runs.compare.nouns import Cell


class Timing:
    """Seconds of one entry's cells.

    A fit is taken to cost a fixed part and a part for each training row, both at least 0, through
    the measured points of the fewest and of the most rows; a prediction costs the same for each
    row.
    """

    def __init__(self) -> None:
        self._fits: dict[int, list[float]] = {}
        self._predicted_rows = 0
        self._predict_seconds = 0.0

    def add(self, n_train: int, fit_seconds: float, n_held: int, predict_seconds: float) -> None:
        """Take in a measured cell; real cells replace the pilot's word as they come in."""
        self._fits.setdefault(n_train, []).append(fit_seconds)
        self._predicted_rows += n_held
        self._predict_seconds += predict_seconds

    def add_cell(self, cell: Cell) -> None:
        """The same for a finished cell; one that failed says nothing."""
        if not cell.problem:
            self.add(cell.n_train, cell.fit_seconds, len(cell.predicted), cell.predict_seconds)

    def seconds(self, n_train: int, n_held: int) -> float:
        """Predicted seconds; 0 where nothing was measured."""
        each = self._predict_seconds / self._predicted_rows if self._predicted_rows else 0.0
        return self._fit(n_train) + n_held * each

    def _fit(self, n: int) -> float:
        if not self._fits:
            return 0.0
        if n in self._fits:
            return _mean(self._fits[n])
        low, high = min(self._fits), max(self._fits)
        first, last = _mean(self._fits[low]), _mean(self._fits[high])
        if low == high:
            return first * max(1.0, n / max(low, 1))
        slope = max(0.0, (last - first) / (high - low))
        return max(0.0, last + slope * (n - high)) if n > high else first + slope * (n - low)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
