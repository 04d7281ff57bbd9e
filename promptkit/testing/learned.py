"""The contract of strategies that learn from rows: rows in, predictions out, saved and restored."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from promptkit.errors import DataError
from promptkit.protocols import Strategy
from promptkit.testing.kept import keep, refuses
from promptkit.types import Example, Prediction, Scalar

#: Suffixes of files that a saved model may hold: nothing that runs code when it is read.
SAVED = {".json", ".jsonl", ".safetensors", ".txt"}


def check_strategy(
    make: Callable[[], Strategy],
    train: Sequence[Example],
    rows: Sequence[Example],
    labels: Sequence[Scalar],
    *,
    tolerance: float = 1e-4,
) -> None:
    """Check a strategy that is fitted on labelled rows.

    Args:
        make: Builds one for these labels, not fitted.
        train: Labelled rows, two of each label at least.
        rows: Rows to predict, four at least, with ids of their own.
        labels: The task's labels.
        tolerance: Nats by which a log-probability may move with the rows beside it.

    Raises:
        Broken: Order or ids are lost, a prediction depends on other rows, what was saved predicts
            otherwise, a label is said that the task does not have.
    """
    strategy = make()
    keep(strategy.fit(train) is strategy, strategy, "fit must return the strategy itself")
    whole = strategy.predict(rows)
    _in_order(strategy, rows)
    for row, found in zip(rows, whole, strict=True):
        keep(_alike(strategy.predict([row]), [found], tolerance), strategy,
             f"the prediction of row {row.id!r} depends on the rows beside it")  # fmt: skip
        _probable(strategy, found, labels)
    parts = [*strategy.gather(rows[:2]), *strategy.gather(rows[2:])]
    told = "conclude(gather(rows)) must be predict(rows), gathered in parts too"
    keep(_alike(strategy.conclude(rows, parts), whole, tolerance), strategy, told)
    strategy.fit(train[: len(train) // 2])
    again = strategy.fit(train).predict(rows)
    keep(_alike(again, whole, tolerance), strategy, "fitting again must forget the rows before")
    _described(strategy)
    _saved(make, strategy, rows, whole, tolerance)
    strange = [*train, Example("strange", dict(train[0].fields), "no such label")]
    refuses(strategy, lambda: make().fit(strange), "a training row of another label", DataError)


def _in_order(strategy: Strategy, rows: Sequence[Example]) -> None:
    for some in (rows, rows[::-1], rows[:1], []):
        ids = [found.example_id for found in strategy.predict(some)]
        told = "predictions must keep the order and the ids of the rows"
        keep(ids == [row.id for row in some], strategy, told)


def _probable(strategy: Strategy, found: Prediction, labels: Sequence[Scalar]) -> None:
    if found.label is None:
        keep(bool(found.problem), strategy, "an unscored row must say why (problem)")
        return
    keep(found.label in labels, strategy, f"it says {found.label!r}, which is no label")
    if found.log_p is not None:
        total = float(np.exp(found.log_p).sum())
        keep(abs(total - 1) < 1e-6, strategy, f"probabilities sum to {total:g} and not to one")
        best = labels[int(np.argmax(found.log_p))]
        keep(best == found.label, strategy, "the label must be the most probable one")


def _described(strategy: Strategy) -> None:
    described = dict(strategy.describe())
    keep("name" in described, strategy, "describe must hold its name in the registry")
    try:
        same = json.loads(json.dumps(described)) == described
    except TypeError:
        same = False
    keep(same, strategy, "describe must hold JSON values: it enters a run's fingerprint")


def _saved(
    make: Callable[[], Strategy],
    strategy: Strategy,
    rows: Sequence[Example],
    whole: Sequence[Prediction],
    tolerance: float,
) -> None:
    with TemporaryDirectory(prefix="promptkit-") as name:
        folder = Path(name)
        strategy.save(folder)
        kinds = {file.suffix for file in folder.rglob("*") if file.is_file()}
        strange = ", ".join(sorted(kinds - SAVED))
        keep(kinds <= SAVED, strategy, f"save may write {', '.join(sorted(SAVED))}, not {strange}")
        restored = make().restore(folder).predict(rows)
    told = "what was saved and taken up again must predict the same"
    keep(_alike(restored, whole, tolerance), strategy, told)


def _alike(one: Sequence[Prediction], other: Sequence[Prediction], tolerance: float) -> bool:
    """Whether two lists of predictions agree, up to the rounding of other batches."""
    return len(one) == len(other) and all(
        (a.example_id, a.label, a.problem) == (b.example_id, b.label, b.problem)
        and (a.log_p is None) == (b.log_p is None)
        and np.allclose(a.log_p or (), b.log_p or (), atol=tolerance)
        for a, b in zip(one, other, strict=True)
    )
