"""An order of demonstrations that is learned by asking the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import DataError, SpecError
from promptkit.learners import LearnsOrder
from promptkit.prompts.template import Template
from promptkit.protocols import Selector
from promptkit.selectors.copies import copy_key
from promptkit.strategies.calibrated import drawn
from promptkit.strategies.kept_ids import read_ids, write_ids
from promptkit.types import Example, Prompt

#: Training texts that the model is asked about under each order.
PROBES = 32
FILE = "order.json"
#: (k,) evidence about the labels of each prompt's row, or None where there is none.
AskPrompts = Callable[[Sequence[Example], Sequence[Prompt]], Sequence[NDArray[np.float64] | None]]


def learn_order(
    order: LearnsOrder,
    template: Template,
    selector: Selector,
    shots: int,
    train: Sequence[Example],
    ask: AskPrompts,
    folder: Path | None,
) -> None:
    """Let an order learn; what it learned is kept in the folder.

    Args:
        order: What learns.
        template: How the task is put.
        selector: Fitted; must show all queries the same rows.
        shots: Demonstrations of a prompt.
        train: Training rows; their labels are not read.
        ask: Asks the model.
        folder: Where to keep it; None keeps it nowhere.

    Raises:
        SpecError: The selector shows each query other rows.
        DataError: No training row is left to ask about.
    """
    if folder is not None and (folder / FILE).is_file():
        order.take(read_ids(folder / FILE))
        return
    shown = _same_for_all(template, selector, shots)
    keys = {copy_key(shot) for shot in shown}
    probes = drawn([row for row in train if copy_key(row) not in keys], PROBES)
    if not probes:
        raise DataError(
            f"an order of {len(shown)} demonstrations is learned by asking about other training "
            "rows, and there are none; give more with --train-data FILE"
        )
    k = len(template.task.labels)

    def log_p_of(own: Sequence[Example], rows: Sequence[Example]) -> NDArray[np.float64]:
        pooled = ask(rows, [template.prompt(row, own) for row in rows])
        return np.stack([np.full(k, np.nan) if one is None else one for one in pooled])

    ids = order.learn(shown, probes, log_p_of)
    if folder is not None:
        write_ids(folder / FILE, ids)


def _same_for_all(template: Template, selector: Selector, shots: int) -> list[Example]:
    """What a selector shows to queries that are no rows."""
    probes = [
        Example(f"any query {number}", dict.fromkeys(template.task.fields, text))
        for number, text in enumerate(("yes", "a long way off", "never"))
    ]
    first, *others = (selector.select(probe, shots) for probe in probes)
    if any(other != first for other in others):
        raise SpecError(
            "an order that is learned is one order for all rows, and this selector shows each row "
            "other demonstrations; use --selector fixed, k_centre, vote_k or searched"
        )
    return list(first)
