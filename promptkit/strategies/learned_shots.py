"""Demonstrations that are found by asking the model how well they serve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from promptkit.learners import LearnsShots
from promptkit.prompts.template import Template
from promptkit.protocols import OnStep, Step, unwatched
from promptkit.strategies.kept_ids import read_ids, write_ids
from promptkit.types import Example, Prompt, label_key

FILE = "shots.json"
#: (k,) evidence about the labels of each prompt's row, or None where there is none.
AskPrompts = Callable[[Sequence[Example], Sequence[Prompt]], Sequence[NDArray[np.float64] | None]]


def learn_shots(
    selector: LearnsShots,
    template: Template,
    shots: int,
    ask: AskPrompts,
    folder: Path | None,
    on_step: OnStep = unwatched,
) -> None:
    """Let a selector search; what it found is kept in the folder.

    Args:
        selector: Fitted.
        template: How the task is put.
        shots: Demonstrations of a prompt.
        ask: Asks the model.
        folder: Where to keep it; None keeps it nowhere.
        on_step: Told about every set that was tried.
    """
    if folder is not None and (folder / FILE).is_file():
        selector.take(read_ids(folder / FILE))
        return
    labels = [label_key(label) for label in template.task.labels]
    tried = count(1)

    def worth_of(own: Sequence[Example], rows: Sequence[Example]) -> float:
        pooled = ask(rows, [template.prompt(row, own) for row in rows])
        golds = [labels.index(label_key(row.label)) for row in rows]
        on_step(Step(next(tried), selector.budget))
        return mean_log_p(pooled, golds)

    ids = selector.search(shots, worth_of)
    if folder is not None:
        write_ids(folder / FILE, ids)


def mean_log_p(pooled: Sequence[NDArray[np.float64] | None], golds: Sequence[int]) -> float:
    """Mean log-probability of the gold labels; a row without evidence counts as a guess."""
    found = []
    for row, gold in zip(pooled, golds, strict=True):
        if row is None or np.isnan(row).any() or not np.isfinite(row.max()):
            found.append(-np.log(len(row) if row is not None else 2))
            continue
        # a label that cannot be said would make all other rows of no account
        found.append(max(float(row[gold] - np.logaddexp.reduce(row)), -20.0))
    return float(np.mean(found))
