"""One cell: a strategy is fitted on the training rows of a draw, and predicts the held-out ones.

What one way has read, another on the same model need not read again. That saves a comparison its
time, and would make whoever comes second look cheap. So on the first draw each way is adapted with
nothing known beforehand, and some rows that nobody has read are predicted beside; from these come
the costs that tables show.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from contextlib import nullcontext
from math import exp
from pathlib import Path
from tempfile import TemporaryDirectory

from promptkit.backends.afresh import afresh
from promptkit.errors import PromptkitError
from promptkit.protocols import FitContext, OnStep, Strategy, unwatched
from promptkit.runs.adapt import make_strategy
from promptkit.runs.compare.memory import peak_bytes, start_peak
from promptkit.runs.compare.nouns import Cell, Entry, Size
from promptkit.runs.compare.rows import Rows
from promptkit.runs.compare.timing import TIMED
from promptkit.runs.compare.work import Work, counted
from promptkit.types import Example, Prediction, Scalar, label_key


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
        *,
        fresh: bool = True,
        priced: bool = True,
    ) -> Cell:
        """Fit on the training places and predict the held-out places.

        The strategy is given the training rows and, of the held-out rows, the fields: a label
        that it never sees cannot leak. A failure on purpose becomes the cell's problem.

        Args:
            entry: What is fitted.
            size: Labelled rows asked for.
            draw: Index of the draw.
            train: Places of the training rows.
            held: Places of the held-out rows.
            on_step: Told how far the fit has come.
            fresh: Whether it is adapted with nothing known beforehand.
            priced: Whether a row and the saved size are measured too, where it is fresh.
        """
        examples = self.rows.examples
        learned = [examples[place] for place in train]
        asked = [Example(examples[p].id, examples[p].fields) for p in held]
        start_peak()
        begun = time.perf_counter()
        try:
            strategy = self.strategy(entry, draw)
            built = time.perf_counter()
            with counted(strategy) as adapting, afresh() if fresh else nullcontext():
                strategy.fit(learned, FitContext(on_step=on_step))
            fitted = time.perf_counter()
            predictions = strategy.predict(asked)
            ended = time.perf_counter()
            peak = peak_bytes()
            each, row_work = _of_a_row(strategy, asked) if priced and fresh else (0.0, None)
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
            fit_seconds=fitted - built,
            predict_seconds=ended - fitted,
            trained_parameters=strategy.cost.trained_parameters,
            peak_bytes=peak,
            facts=str(getattr(strategy, "chosen_", "")),
            row_seconds=each,
            confidence=tuple(map(_confidence, predictions)),
            fit_work=adapting.work if fresh else None,
            row_work=row_work,
            stored_bytes=_stored_bytes(strategy) if priced and fresh else 0,
            seconds=time.perf_counter() - begun,
        )


def _of_a_row(strategy: Strategy, rows: Sequence[Example]) -> tuple[float, Work]:
    """Seconds and counts of a row that is in no cache: held-out rows with a mark at their end."""
    fresh = marked(rows[:TIMED])
    n = max(len(fresh), 1)
    with counted(strategy) as asking:
        begun = time.perf_counter()
        strategy.predict(fresh)
        seconds = time.perf_counter() - begun
    return seconds / n, asking.work.over(n)


def marked(rows: Sequence[Example]) -> list[Example]:
    """The rows with four random digits at the end of each text: nobody has read them before."""
    mark = f" {secrets.token_hex(2)}"
    return [
        Example(row.id, {k: v + mark if isinstance(v, str) else v for k, v in row.fields.items()})
        for row in rows
    ]


def _stored_bytes(strategy: Strategy) -> int:
    """Bytes that it writes when it is saved."""
    with TemporaryDirectory(prefix="promptkit-") as folder:
        strategy.save(Path(folder))
        return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())


def _confidence(prediction: Prediction) -> int:
    """The probability of the predicted label in thousandths; -1 without one."""
    if prediction.label is None or not prediction.log_p:
        return -1
    return round(1000 * exp(max(prediction.log_p)))


def _places(predictions: Sequence[Prediction], labels: Sequence[Scalar]) -> tuple[int, ...]:
    """The place of each predicted label; -1 where a row is unscored."""
    places = {label_key(label): place for place, label in enumerate(labels)}
    return tuple(
        -1 if found.label is None else places[label_key(found.label)] for found in predictions
    )
