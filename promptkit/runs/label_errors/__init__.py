"""Which labels of a file may be wrong: confident learning over what is said of unseen rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from promptkit.errors import DataError, SpecError
from promptkit.prompts import Template
from promptkit.row_text import text_of
from promptkit.runs.label_errors.confident import check_cleanlab, suspicious
from promptkit.runs.label_errors.contradictions import contradictions
from promptkit.runs.label_errors.nouns import Contradiction, LabelErrors, Search, Suspect
from promptkit.runs.label_errors.unseen import OnFold, out_of_fold
from promptkit.runs.partly_labelled import partly_labelled
from promptkit.runs.spec import EvalSpec
from promptkit.strategies.classified import targets_of
from promptkit.types import Example, label_key

__all__ = ["Contradiction", "LabelErrors", "Search", "Suspect", "errors_among", "label_errors_of"]


def label_errors_of(
    asked: EvalSpec,
    search: Search,
    on_fold: OnFold = lambda done, total: None,
) -> LabelErrors:
    """Look for wrong labels in the rows that a spec names.

    Args:
        asked: Rows and how they are read.
        search: How they are looked for.
        on_fold: Told how far it is.

    Raises:
        MissingExtra: cleanlab is not installed.
        DataError: Rows that cannot be used, or of one label alone.
        CapabilityError: Rows that do not have one label each, or a strategy that cannot say how
            probable labels are.
    """
    check_cleanlab()
    if asked.data is None:
        raise SpecError("no rows given; say which with --data FILE")
    found = partly_labelled(asked, asked.data, "label-errors")
    (rows,), labelled = found.files, found.labelled
    if not labelled:
        raise DataError(
            f"{rows.origin}: no row has a label in column {asked.label_field!r}; say which column "
            "holds labels with --label-field COLUMN"
        )
    bare = len(rows) - len(labelled)
    left = [f"{bare:,} of {len(rows):,} rows have no label, and are left out"] if bare else []
    return errors_among(
        labelled[: asked.limit],
        found.template,
        search,
        origin=rows.origin,
        columns=found.columns,
        rows_of=found.rows,
        label_column=asked.label_field,
        notes=(*found.notes, *left),
        on_fold=on_fold,
    )


def errors_among(
    rows: Sequence[Example],
    template: Template,
    search: Search,
    *,
    origin: str,
    columns: Sequence[str] = (),
    rows_of: Mapping[str, Mapping[str, Any]] | None = None,
    label_column: str = "label",
    notes: Sequence[str] = (),
    on_fold: Callable[[int, int], None] = lambda done, total: None,
) -> LabelErrors:
    """The same for rows that are there already.

    Args:
        rows: Labelled rows.
        template: Its labels settled.
        search: How wrong labels are looked for.
        origin: What the rows are called.
        columns: Their columns.
        rows_of: By id, all columns of a row.
        label_column: The column that labels stand in.
        notes: Facts that a reader must know.
        on_fold: Told how far it is.
    """
    check_cleanlab()
    if len({label_key(row.label) for row in rows}) < 2:
        raise DataError(f"{origin}: has one label alone, so that there is nothing to tell")
    ordered = sorted(rows, key=lambda row: row.id)  # so that the order of the rows decides nothing
    labels = tuple(template.task.labels)
    targets = np.asarray(targets_of(ordered, labels), np.int64)
    p, cost = out_of_fold(ordered, template, search, on_fold)
    found, quality = suspicious(p, targets)
    worst = [place for place in np.argsort(quality, kind="stable") if found[place]]
    said = p.argmax(axis=1)
    return LabelErrors(
        data=origin,
        n=len(ordered),
        labels=labels,
        suspects=tuple(
            Suspect(
                id=ordered[place].id,
                text=text_of(ordered[place]),
                label=labels[targets[place]],
                suggested=labels[said[place]],
                probability=float(p[place, said[place]]),
                quality=float(quality[place]),
                row=(rows_of or {}).get(ordered[place].id, ordered[place].fields),
            )
            for place in worst
        ),
        contradictions=contradictions(ordered),
        strategy=search.strategy,
        accuracy=float((said == targets).mean()),
        columns=tuple(columns),
        label_column=label_column,
        notes=tuple(notes),
        cost=cost,
    )
