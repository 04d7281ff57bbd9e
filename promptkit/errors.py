"""Every error promptkit raises on purpose.

* PromptkitError
  - SpecError: a template, an eval spec or an option is wrong
  - DataError: a row, a column or a file of rows is wrong
  - CapabilityError: this backend or model cannot do what was asked; another can
  - MissingExtra: an optional package is absent
  - BackendError: the model or its server failed
  - StoreError: a run could not be written, read or locked
  - Interrupted: Ctrl-C; what was finished is stored

The command line prints any of these as one line and exits with 2. Every other exception is a bug
and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class PromptkitError(Exception):
    """Base of all errors raised on purpose; one line that says what, where and what to do."""


class SpecError(PromptkitError):
    """A template, an eval spec or a part's option is wrong; names file, line, key and got."""


class DataError(PromptkitError):
    """Rows cannot be used as they are; the message names file, row and field."""


class CapabilityError(PromptkitError):
    """The chosen backend or model cannot do this; the message names those that can."""


class MissingExtra(PromptkitError):
    """An optional package is absent; the message holds the pip command."""


class BackendError(PromptkitError):
    """The model or its server failed.

    Args:
        message: What failed, where.
        hint: What to do next; becomes the end of the line.
        retryable: Whether the same call may succeed later.
    """

    def __init__(self, message: str, *, hint: str = "", retryable: bool = False) -> None:
        super().__init__(f"{message}; {hint}" if hint else message)
        self.hint = hint
        self.retryable = retryable


class StoreError(PromptkitError):
    """A run folder could not be written, read or locked; what was stored stays."""


class Interrupted(PromptkitError):
    """Ctrl-C while rows were scored.

    Args:
        done: Rows that are stored.
        total: Rows of the run.
        what: What is counted, where it is not rows.
        kept: What is said of them, where it is not that they are stored.
    """

    def __init__(self, done: int, total: int, what: str = "rows", kept: str = "are stored") -> None:
        super().__init__(f"interrupted: {done} of {total} {what} {kept}")
        self.done, self.total = done, total


def nearest(word: object, known: Iterable[object]) -> str:
    """The end of a message about a wrong name: the nearest right one, or all of them.

    >>> nearest("randon", ["none", "random"])
    "did you mean 'random'?"
    """
    names = [str(name) for name in known]
    by_lower = {name.lower(): name for name in reversed(names)}
    close = get_close_matches(str(word).lower(), list(by_lower), n=1)
    if close:
        return f"did you mean {by_lower[close[0]]!r}?"
    shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return f"known: {shown or 'none'}"
