"""The answers that are kept, model by model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group
from rich.text import Text

from promptkit.backends.response_store import Held
from promptkit.report.figures import size
from promptkit.report.layout import pairs, table
from promptkit.report.plain import cell


def held_table(path: str, n_bytes: int, held: Sequence[Held]) -> Group:
    """Where answers lie, and a line for each model.

    Args:
        path: The file.
        n_bytes: What it takes on disk.
        held: What is in it.
    """
    made = table("model", "backend", "answers", "size", "oldest", "newest", words=2)
    for one in held:
        made.add_row(
            cell(one.model),
            cell(one.backend),
            f"{one.n:,}",
            size(one.n_bytes),
            _day(one.first),
            _day(one.last),
        )
    n = sum(one.n for one in held)
    return Group(
        pairs([("file", cell(path)), ("size", cell(size(n_bytes))), ("answers", cell(f"{n:,}"))]),
        Text(),
        made,
    )


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d")
