"""Rows to label and labels to look at, in Python: tables, places and files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import StringIO

from rich.console import Console

from promptkit.errors import SpecError, nearest
from promptkit.report.label_errors import (
    label_errors_csv,
    label_errors_json,
    label_errors_jsonl,
    label_errors_markdown,
    print_label_errors,
)
from promptkit.report.to_label import (
    print_to_label,
    to_label_csv,
    to_label_json,
    to_label_jsonl,
    to_label_markdown,
)
from promptkit.runs.label_errors import LabelErrors
from promptkit.runs.label_next import ToLabel

#: Columns of a table where there is no terminal.
WIDTH = 110
NEXT: dict[str, Callable[[ToLabel], str]] = {
    "csv": to_label_csv,
    "jsonl": to_label_jsonl,
    "json": to_label_json,
    "markdown": to_label_markdown,
}
ERRORS: dict[str, Callable[[LabelErrors], str]] = {
    "csv": label_errors_csv,
    "jsonl": label_errors_jsonl,
    "json": label_errors_json,
    "markdown": label_errors_markdown,
}


class NextLabels:
    """What `promptkit.label_next` suggests; ``print`` shows it as the command does.

    Args:
        found: The rows, with what is said of them.
        indices: Their places in the pool, the most valuable first.
    """

    def __init__(self, found: ToLabel, indices: Sequence[int]) -> None:
        self.found, self.indices = found, list(indices)

    def __len__(self) -> int:
        return len(self.indices)

    def to(self, format: str) -> str:
        """As text in the format of that name: csv, jsonl, json or markdown.

        Raises:
            SpecError: No such format.
        """
        if format not in NEXT:
            raise SpecError(f"format {format!r}: {nearest(format, NEXT)}")
        return NEXT[format](self.found)

    def __str__(self) -> str:
        text = StringIO()
        print_to_label(self.found, console=Console(file=text, width=WIDTH, highlight=False))
        return text.getvalue()

    def __repr__(self) -> str:
        return f"<NextLabels of {len(self)} rows, {self.found.by}>"


class SuspectLabels:
    """What `promptkit.label_errors` suspects; ``print`` shows it as the command does.

    Args:
        found: The suspects, with what is said of them.
        indices: Their places in X, the most suspicious first.
    """

    def __init__(self, found: LabelErrors, indices: Sequence[int]) -> None:
        self.found, self.indices = found, list(indices)

    def __len__(self) -> int:
        return len(self.indices)

    def to(self, format: str) -> str:
        """As text in the format of that name: csv, jsonl, json or markdown.

        Raises:
            SpecError: No such format.
        """
        if format not in ERRORS:
            raise SpecError(f"format {format!r}: {nearest(format, ERRORS)}")
        return ERRORS[format](self.found)

    def __str__(self) -> str:
        text = StringIO()
        print_label_errors(self.found, console=Console(file=text, width=WIDTH, highlight=False))
        return text.getvalue()

    def __repr__(self) -> str:
        return f"<SuspectLabels: {len(self)} of {self.found.n} rows>"
