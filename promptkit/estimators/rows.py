"""Rows for scikit-learn estimators: whatever X is, it becomes checked examples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from promptkit.data import from_records
from promptkit.data.ids import content_id
from promptkit.data.values import is_missing
from promptkit.errors import DataError, SpecError, nearest
from promptkit.estimators.tables import Table, table_of
from promptkit.prompts import Template, find_template
from promptkit.strategies.reading import Reading
from promptkit.types import Example, Scalar


def records_of(X: Any, fields: Sequence[str]) -> list[dict[str, Any]]:
    """Rows as mappings from field to value, whatever they came as; of a data frame all columns.

    Args:
        X: A list or array of texts, a Series, a data frame, mappings, or an (n, m) array; or the
            `Table` of one.
        fields: The fields; the columns of an array are these, in order.

    Raises:
        DataError: One text instead of a list of them, or a row with another number of values.
    """
    table = _table(X)
    if table.names is None and table.n and table.width != len(fields):
        raise DataError(
            f"X row 1: {table.width} values for the fields {', '.join(fields)}; give a data frame "
            "or mappings with these names"
        )
    if not table.n:
        return []
    names = fields if table.names is None else table.names
    return _zipped(table, names, range(len(names)))


def examples_of_table(table: Table, fields: Sequence[str]) -> tuple[Example, ...]:
    """Checked rows of the fields alone; see `examples_of_records`.

    Raises:
        DataError: A column that is not there, or a field that is missing, infinite or empty; names
            row and field.
    """
    if table.names is not None:
        check_fields(table, fields)
    places = range(len(fields)) if table.names is None else map(table.names.index, fields)
    records = _zipped(table, fields, list(places)) if table.n else []
    for number, record in enumerate(records, start=1):
        for name, value in record.items():
            if is_missing(value):
                raise DataError(
                    f"Input X contains NaN: X row {number} has no {name!r}; fill it in or leave "
                    "the row out"
                )
            if isinstance(value, float) and math.isinf(value):
                raise DataError(
                    f"Input X contains infinity: X row {number}, {name!r}, is {value}; leave the "
                    "row out, or write it as text"
                )
    return examples_of_records(records, fields)


def examples_of_records(
    records: Sequence[Mapping[str, Any]], fields: Sequence[str]
) -> tuple[Example, ...]:
    """Checked rows. Their ids are hashes of what they say, so that draws follow the row.

    Raises:
        DataError: A field that is missing or empty; names row and field.
    """
    if not records:
        return ()
    kept = [{name: row[name] for name in fields if name in row} for row in records]
    loaded = from_records(kept, name="X", fields=fields, require_labels=False, id_field="id")
    return loaded.examples


def ids_by_content(rows: Sequence[Example]) -> list[Example]:
    """Rows that say the same get the same id, and so the same draws and the same answer.

    As data they are numbered (``-2``, ``-3``), and the second of two would be shown other
    demonstrations than the first: a prediction would depend on the rows beside it.
    """
    return [replace(row, id=content_id(row.fields)) for row in rows]


def fields_of(X: Any) -> tuple[str, ...]:
    """The field to read where nobody named one: ``text``, or the only column that there is.

    Raises:
        DataError: Several columns, and none is called ``text``.
    """
    table = _table(X)
    if table.names is None and table.width > 1:
        raise DataError(
            f"X has {table.width} columns without names, and they do not say what they are; name "
            "them in order, as fields=['title', 'body'], or give a data frame"
        )
    if not table.names or "text" in table.names:
        return ("text",)
    if len(table.names) == 1:
        return table.names
    raise DataError(
        f"X has the columns {', '.join(table.names)}, and none is called 'text'; say which to "
        f"read: fields=[{table.names[0]!r}]"
    )


def check_fields(X: Any, fields: Sequence[str]) -> None:
    """Refuse a field that no column of X has.

    Raises:
        DataError: Names the nearest column.
    """
    names = _table(X).names
    for field in fields:
        if names is not None and field not in names:
            raise DataError(f"X has no column {field!r}; {nearest(field, names)}")


def reading_of(
    X: Any,
    fields: str | Sequence[str] | None,
    template: str | Template | None,
    labels: Sequence[Scalar] = (),
) -> Reading:
    """What is read of a row: the named fields, or the prompt of a template.

    A template that leaves its labels open speaks of these.

    Raises:
        SpecError: Fields and a template, or a template whose labels nobody says.
    """
    if template is None:
        if fields is None:
            return Reading(fields_of(X))
        named = (fields,) if isinstance(fields, str) else tuple(fields)
        check_fields(X, named)
        return Reading(named)
    if fields is not None:
        raise SpecError("give fields= or template=, not both: a template names its own fields")
    found = template if isinstance(template, Template) else find_template(template)
    if found.open and not labels:
        raise SpecError(
            f"template {found.name!r} leaves its labels open; give "
            f"template=find_template({found.name!r}).with_labels([...])"
        )
    settled = found.with_labels(labels) if found.open and len(labels) > 1 else found
    return Reading(found.task.fields, settled)


def _table(X: Any) -> Table:
    return X if isinstance(X, Table) else table_of(X)


def _zipped(table: Table, names: Sequence[str], places: Sequence[int]) -> list[dict[str, Any]]:
    columns = [table.column(place) for place in places]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
