"""Rows for scikit-learn estimators: whatever X is, it becomes checked examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from promptkit.data import from_records
from promptkit.errors import DataError, SpecError, nearest
from promptkit.prompts import Template, find_template
from promptkit.strategies.reading import Reading
from promptkit.types import Example, Scalar


def records_of(X: Any, fields: Sequence[str]) -> list[dict[str, Any]]:
    """Rows as mappings from field to value, whatever they came as.

    Args:
        X: A list or array of texts, a Series, a data frame, mappings, or an (n, m) array.
        fields: The fields; the columns of an array are these, in order.

    Raises:
        DataError: One text instead of a list of them, or a row with another number of values.
    """
    if _is_frame(X):
        return [dict(row) for row in X.to_dict("records")]
    if isinstance(X, str | Mapping):
        raise DataError(f"X is one {type(X).__name__}; give a list of rows")
    rows = list(X.tolist() if hasattr(X, "tolist") else X)
    return [_record(row, fields, number) for number, row in enumerate(rows, start=1)]


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


def fields_of(X: Any) -> tuple[str, ...]:
    """The field to read where nobody named one: ``text``, or the only column that there is.

    Raises:
        DataError: Several columns, and none is called ``text``.
    """
    columns = _columns(X)
    if not columns or "text" in columns:
        return ("text",)
    if len(columns) == 1:
        return columns
    raise DataError(
        f"X has the columns {', '.join(columns)}, and none is called 'text'; say which to read: "
        f"fields=[{columns[0]!r}]"
    )


def check_fields(X: Any, fields: Sequence[str]) -> None:
    """Refuse a field that no column of X has.

    Raises:
        DataError: Names the nearest column.
    """
    columns = _columns(X)
    for field in fields:
        if columns and field not in columns:
            raise DataError(f"X has no column {field!r}; {nearest(field, columns)}")


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


def _is_frame(X: Any) -> bool:
    return hasattr(X, "to_dict") and hasattr(X, "columns")


def _columns(X: Any) -> tuple[str, ...]:
    """The names that X gives its columns; none for texts and arrays."""
    if _is_frame(X):
        return tuple(str(column) for column in X.columns)
    first = X[0] if isinstance(X, list | tuple) and X else None
    return tuple(str(key) for key in first) if isinstance(first, Mapping) else ()


def _record(row: Any, fields: Sequence[str], number: int) -> dict[str, Any]:
    if isinstance(row, Mapping):
        return dict(row)
    values = [row] if isinstance(row, str) or not isinstance(row, Sequence) else list(row)
    if len(values) != len(fields):
        raise DataError(
            f"X row {number}: {len(values)} values for the fields {', '.join(fields)}; give a data "
            "frame or mappings with these names"
        )
    return dict(zip(fields, values, strict=True))
