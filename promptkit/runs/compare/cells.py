"""One cell: a strategy is fitted on the training rows of a draw, and predicts the held-out ones."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from promptkit.errors import PromptkitError
from promptkit.protocols import FitContext, OnStep, Strategy, unwatched
from promptkit.runs.adapt import make_strategy
from promptkit.runs.compare.memory import peak_bytes, start_peak
from promptkit.runs.compare.nouns import Cell, Entry, Size
from promptkit.runs.compare.rows import Rows
from promptkit.types import Example, Prediction, Scalar, label_key

#: Held-out rows by which the time of a prediction is measured.
TIMED = 32


class Bench:
    """Fits and predicts with the rows of one comparison.

    Args:
        rows: The rows.
        seed: Seed of the comparison; each draw counts on from it.
        device: Where models run.
        dtype: Number format of models.
    """

    def __init__(self, rows: Rows, seed: int, device: str, dtype: str) -> None:
        self.rows, self.seed, self.device, self.dtype = rows, seed, device, dtype

    def strategy(self, entry: Entry, draw: int = 0) -> Strategy:
        """The entry's strategy, not fitted."""
        return make_strategy(
            entry.strategy,
            template=self.rows.template,
            labels=self.rows.labels,
            model=entry.model or "minilm",
            options=entry.options,
            seed=self.seed + draw,
            device=self.device,
            dtype=self.dtype,
        )

    def cell(
        self,
        entry: Entry,
        size: Size,
        draw: int,
        train: Sequence[int],
        held: Sequence[int],
        on_step: OnStep = unwatched,
    ) -> Cell:
        """Fit on the training places and predict the held-out places.

        The strategy is given the training rows and, of the held-out rows, the fields: a label
        that it never sees cannot leak. A failure on purpose becomes the cell's problem.
        """
        examples = self.rows.examples
        learned = [examples[place] for place in train]
        asked = [Example(examples[p].id, examples[p].fields) for p in held]
        start_peak()
        begun = time.perf_counter()
        try:
            strategy = self.strategy(entry, draw)
            strategy.fit(learned, FitContext(on_step=on_step))
            fitted = time.perf_counter()
            predictions = strategy.predict(asked)
            ended = time.perf_counter()
            row_seconds = _row_seconds(strategy, asked) if draw <= 0 else 0.0
        except PromptkitError as error:
            return Cell(
                entry.name, size, draw, len(learned), (), time.perf_counter() - begun, 0.0,
                problem=str(error),
            )  # fmt: skip
        return Cell(
            entry=entry.name,
            size=size,
            draw=draw,
            n_train=len(learned),
            predicted=_places(predictions, self.rows.labels),
            fit_seconds=fitted - begun,
            predict_seconds=ended - fitted,
            trained_parameters=strategy.cost.trained_parameters,
            peak_bytes=peak_bytes(),
            facts=str(getattr(strategy, "chosen_", "")),
            row_seconds=row_seconds,
        )


def _row_seconds(strategy: Strategy, rows: Sequence[Example]) -> float:
    """Seconds a row, for texts that are in no cache: some held-out rows with a mark at their end.

    What one strategy has read, another on the same model need not read again. That saves a
    comparison its time, and would make whoever comes second look fast.
    """
    mark = f" {secrets.token_hex(2)}"
    fresh = [
        Example(
            row.id,
            {k: v + mark if isinstance(v, str) else v for k, v in row.fields.items()},
        )
        for row in rows[:TIMED]
    ]
    begun = time.perf_counter()
    strategy.predict(fresh)
    return (time.perf_counter() - begun) / max(len(fresh), 1)


def _places(predictions: Sequence[Prediction], labels: Sequence[Scalar]) -> tuple[int, ...]:
    """The place of each predicted label; -1 where a row is unscored."""
    places = {label_key(label): place for place, label in enumerate(labels)}
    return tuple(
        -1 if found.label is None else places[label_key(found.label)] for found in predictions
    )
