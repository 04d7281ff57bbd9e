"""A verbalizer that learns which words to listen to, by asking about rows without labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from promptkit.errors import CapabilityError, DataError
from promptkit.learners import LearnsWords
from promptkit.strategies.calibrated import MOST_ROWS, drawn, read_learned, write_learned
from promptkit.types import Candidate, Evidence, Example, Scalar, label_key

FILE = "words.safetensors"
#: Training rows that words are learned from at least.
LEAST = 8


def learn_words(
    verbalizer: LearnsWords,
    train: Sequence[Example],
    labels: Sequence[Scalar],
    candidates: Sequence[Candidate],
    ask: Callable[[Sequence[Example]], Sequence[Evidence]],
    folder: Path | None,
) -> None:
    """Let a verbalizer learn; what it learned is kept in the folder.

    Args:
        verbalizer: What learns.
        train: Training rows; their labels are not read.
        labels: The task's labels.
        candidates: The words of all labels.
        ask: Evidence from the model, a row each.
        folder: Where to keep it; None keeps it nowhere.

    Raises:
        DataError: There are too few training rows, or the model says nothing about any.
        CapabilityError: The backend gives no log-probability of each word.
    """
    if folder is not None and (folder / FILE).is_file():
        verbalizer.take(read_learned(folder / FILE))
        return
    rows = drawn([Example(row.id, row.fields) for row in train], MOST_ROWS)
    if len(rows) < LEAST:
        raise DataError(
            f"verbalizer 'refined' learns from the texts of {LEAST} training rows or more, and "
            f"has {len(rows)}; give more with --train-data FILE"
        )
    found = [one for one in ask(rows) if one.log_p and not one.problem]
    if any(one.decided or len(one.log_p) != len(candidates) for one in found):
        raise CapabilityError(
            "verbalizer 'refined' needs a log-probability of each word, and this backend gives "
            "none; use --verbalizer words"
        )
    if not found:
        raise DataError(
            f"verbalizer 'refined': the model gives no evidence about any of {len(rows)} training "
            "rows; use --verbalizer words"
        )
    places = {label_key(label): place for place, label in enumerate(labels)}
    owners = [places[label_key(candidate.label)] for candidate in candidates]
    verbalizer.refine(np.array([one.log_p for one in found], np.float64), owners)
    if folder is not None:
        write_learned(folder / FILE, dict(verbalizer.refined()))
