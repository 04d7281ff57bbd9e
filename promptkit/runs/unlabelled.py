"""Rows without labels that some strategies learn from: an option of theirs names the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from promptkit.data import load
from promptkit.errors import DataError, SpecError
from promptkit.prompts import Template
from promptkit.runs.adapt import ROW_OPTIONS, takes
from promptkit.runs.columns import train_split
from promptkit.runs.rows import template_and_columns
from promptkit.runs.spec import EvalSpec
from promptkit.selectors.copies import copy_key
from promptkit.types import Example

#: Rows by the option that names their file.
UnlabelledRows = Mapping[str, tuple[Example, ...]]


def unlabelled_rows(
    asked: EvalSpec, template: Template, evaluated: Iterable[Example] = ()
) -> tuple[UnlabelledRows, list[str]]:
    """The rows that the strategy's options name, without labels, and what to note of them.

    Args:
        asked: The strategy and its options.
        template: Its labels settled.
        evaluated: Rows whose copies are left out: what is learned from a row says nothing about
            how well that row is answered.

    Raises:
        SpecError: An option that names no file.
        DataError: A file that cannot be read, or without a row that is not evaluated.
    """
    named = [name for name in ROW_OPTIONS if name in asked.strategy_options]
    if not named:
        return {}, []
    named = [name for name in named if name in takes(asked.strategy)]
    barred = {copy_key(row) for row in evaluated}
    found: dict[str, tuple[Example, ...]] = {}
    notes = []
    for name in named:
        source = asked.strategy_options[name]
        if not isinstance(source, str) or not source.strip():
            raise SpecError(f"option {name!r} is {source!r}; name a file of rows")
        # columns of text are those of the labelled rows; of labels and ids there may be none
        columns = template_and_columns(asked)[1]
        rows = load(
            source,
            split=train_split(source),
            columns=columns,
            fields=template.task.fields,
            require_labels=False,
        )
        kept = tuple(Example(row.id, row.fields) for row in rows if copy_key(row) not in barred)
        if not kept:
            raise DataError(f"{source}: option {name!r} is left no row that is not evaluated")
        found[name] = kept
        copies = len(rows) - len(kept)
        told = f", without {copies:,} that are copies of evaluated rows" if copies else ""
        notes.append(f"{name}: {len(kept):,} rows of {source}, their labels unread{told}")
    return found, notes
