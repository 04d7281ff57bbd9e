"""The rows of a round: those with a label, and a pool of those without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from promptkit.data import Dataset
from promptkit.errors import DataError, SpecError
from promptkit.prompts import Template
from promptkit.runs.label_next.nouns import Round
from promptkit.runs.partly_labelled import ADDED, PartlyLabelled, has_label, partly_labelled
from promptkit.runs.spec import EvalSpec
from promptkit.selectors.copies import copy_key
from promptkit.types import Example


def read_round(asked: EvalSpec, labelled: str | None = None) -> Round:
    """Read the pool, and what has been labelled so far.

    A row of either file is labelled where its label is filled in, so that a file that
    `promptkit label-next` wrote can be given back half done.

    Args:
        asked: The pool, and how rows are read.
        labelled: A file of rows with labels.

    Raises:
        DataError: Rows that cannot be used, or none without a label.
        CapabilityError: Rows that do not have one label each.
        SpecError: A column of the pool has the name of one that is written.
    """
    if asked.data is None:
        raise SpecError("no rows given; say which with --data FILE")
    found = partly_labelled(asked, asked.data, "label-next", labelled)
    notes = [] if found.known else [_unknown(found)]
    return round_of(
        asked.data,
        found.template,
        found.labelled,
        [row for row in found.files[0] if not has_label(row)],
        found.rows,
        columns=found.columns,
        label_column=asked.label_field,
        known=found.known,
        notes=[*found.notes, *notes, *_half_done(found.files[1:])],
    )


def round_of(
    name: str,
    template: Template,
    labelled: Iterable[Example],
    pool: Iterable[Example],
    rows: Mapping[str, Mapping[str, Any]],
    *,
    columns: Sequence[str],
    label_column: str,
    known: bool,
    notes: Sequence[str] = (),
) -> Round:
    """Rows that are there already as a round: each text once, and none that has a label.

    Args:
        name: What the pool is called.
        template: Its labels settled, where they are known.
        labelled: Rows that have a label.
        pool: Rows that have none.
        rows: By id, all columns of a row of the pool.
        columns: The columns of the pool.
        label_column: The column that labels are filled into.
        known: Whether there are labels to choose among.
        notes: Facts that a reader must know.

    Raises:
        DataError: Nothing is left to label.
        SpecError: A column has the name of one that is written.
    """
    taken = next((name for name in ADDED if name in columns), None)
    if taken is not None:
        raise SpecError(f"{name}: has a column {taken!r}, which is the name of one that is "
                        "written; rename it")  # fmt: skip
    done = tuple(sorted(labelled, key=lambda row: row.id))
    barred = {copy_key(row) for row in done}
    offered = sorted(pool, key=lambda row: row.id)
    kept: dict[str, Example] = {}
    for row in offered:
        kept.setdefault(copy_key(row), row)
    free = tuple(row for key, row in kept.items() if key not in barred)
    copied = sum(copy_key(row) in barred for row in offered)
    told = list(notes)
    if copied:
        told.append(f"left out, as labelled already or copies of labelled rows: {copied:,} row(s)")
    if len(offered) - copied > len(free):
        told.append(f"copies of one text are suggested once: {len(offered) - copied:,} rows have "
                    f"{len(free):,} different texts")  # fmt: skip
    if not free:
        raise DataError(
            f"{name}: no row is left to label; each has a label, or is a copy of one that has"
        )
    return Round(
        name=name,
        template=template,
        labelled=done,
        pool=free,
        rows=rows,
        columns=tuple(column for column in columns if column != label_column),
        label_column=label_column,
        known=known,
        notes=tuple(told),
    )


def _unknown(found: PartlyLabelled) -> str:
    """What is said where no two labels are known."""
    own = found.labelled
    told = f"all labelled rows are {own[0].label!r}" if own else "no row has a label yet"
    return f"{told}, so that nothing can be told apart: --labels a,b,c names the labels"


def _half_done(files: Iterable[Dataset]) -> list[str]:
    """What is said of labelled files in which labels are missing."""
    told = []
    for one in files:
        bare = sum(not has_label(row) for row in one)
        if bare:
            told.append(f"{bare:,} of {len(one):,} rows of {one.origin} have no label yet, and are "
                        "taken as unlabelled")  # fmt: skip
    return told
