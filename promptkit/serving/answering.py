"""Rows answered together, one that cannot be answered apart from the others."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from promptkit.errors import BackendError, PromptkitError
from promptkit.protocols import Strategy
from promptkit.types import Example, Prediction


@dataclass(frozen=True)
class Unanswered:
    """Why a row has no prediction.

    Args:
        problem: In words that may be sent to who asked.
        retryable: Whether the same row may be answered later: then the whole request is refused,
            and asked again.
        bug: Whether it was none of the errors that promptkit raises on purpose.
        cause: What failed beneath, by its type.
    """

    problem: str
    retryable: bool = False
    bug: bool = False
    cause: str = ""


Outcome = Prediction | Unanswered
#: Called with an error that is a bug, and the number of rows that it is about.
OnBug = Callable[[Exception, int], None]


def outcomes(strategy: Strategy, examples: Sequence[Example], on_bug: OnBug) -> list[Outcome]:
    """What the model says of each row, in order; never an exception.

    Where rows cannot be answered together they are parted in halves, until the one stands alone
    that spoils the others.
    """
    try:
        found = strategy.predict(examples)
        if len(found) != len(examples):
            raise RuntimeError(f"{len(found)} answers to {len(examples)} rows")
        return list(found)
    except Exception as error:
        if isinstance(error, BackendError) and error.retryable:
            # a server that is down is not found out row by row
            cause = type(error.__cause__ or error).__name__
            return [Unanswered(str(error), retryable=True, cause=cause)] * len(examples)
        if len(examples) == 1:
            return [_unanswered(error, examples[0], on_bug)]
        middle = len(examples) // 2
        first, second = examples[:middle], examples[middle:]
        return [*outcomes(strategy, first, on_bug), *outcomes(strategy, second, on_bug)]


def _unanswered(error: Exception, example: Example, on_bug: OnBug) -> Unanswered:
    if isinstance(error, PromptkitError):
        return Unanswered(" ".join(str(error).removeprefix(f"row {example.id!r}: ").split()))
    on_bug(error, 1)
    # its message may hold anything, another row's text included
    return Unanswered(f"the model failed on this row ({type(error).__name__})", bug=True)


def where(error: BaseException) -> str:
    """Where an error was raised, without its message: that may hold the text of a row."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return " < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in reversed(frames))
