"""From raw rows to examples: every row is checked, and the first bad one is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptkit.data.columns import ID, LABEL, Columns
from promptkit.data.ids import Ids
from promptkit.data.place import Table
from promptkit.data.values import is_missing, is_whole_text, plain
from promptkit.errors import DataError
from promptkit.types import Example, Scalar, Value


def examples_of(table: Table, columns: Columns) -> tuple[tuple[Example, ...], tuple[int, ...]]:
    """The rows as examples, and each one's line or row number.

    Raises:
        DataError: No rows; a column that is not there; an empty text; a label that is missing
            while labels are required; an id that is missing or repeated.
    """
    examples: list[Example] = []
    numbers: list[int] = []
    ids = Ids(columns.id, table.place)
    for number, row in table.rows:
        where = table.place.at(number)
        if not examples:
            _check_named(table, columns, row, where)
        fields = _fields(table, columns, row, where)
        label = _label(table, columns, row, where)
        examples.append(Example(id=ids.of(number, row, fields), fields=fields, label=label))
        numbers.append(number)
    if not examples:
        raise DataError(f"{table.place.file}: holds no rows{_header_only(table)}")
    return tuple(examples), tuple(numbers)


def _header_only(table: Table) -> str:
    return "" if table.columns is None else f", only columns ({', '.join(table.columns) or 'none'})"


def _check_named(table: Table, columns: Columns, row: Mapping[str, Any], where: str) -> None:
    """A column that was named on purpose must be there, whether or not it is needed."""
    there = _whole(table, where)
    if columns.label not in row and columns.label != LABEL:
        raise columns.no_label(there, row)
    if columns.id not in row and columns.id != ID:
        raise columns.no_id(there, row)


def _whole(table: Table, where: str) -> str:
    """Where a column is missing: in the file, or in this one JSON object."""
    return where if table.columns is None else table.place.file


def _fields(table: Table, columns: Columns, row: Mapping[str, Any], where: str) -> dict[str, Any]:
    fields = {}
    for name, column in columns.pairs(row):
        if column not in row:
            raise columns.no_field(name, _whole(table, where), row)
        value = row[column]
        if type(value) is not str:
            value = _json_value(value, column, where)
        if columns.fields:
            value = _checked(value, column, where)
        fields[name] = value
    return fields


def _checked(value: Any, column: str, where: str) -> Any:
    """A field that a template asks for: a text with something in it, or a list or an object."""
    if isinstance(value, int | float):
        return str(value)
    if value is None or value in ([], {}) or (isinstance(value, str) and not value.strip()):
        raise DataError(f"{where}: {column!r} is {_nothing(value)}; fill it in or remove the row")
    for text in value if isinstance(value, list) else [value]:
        if not isinstance(text, str):
            continue
        if not text.strip():
            raise DataError(f"{where}: {column!r} holds an empty text; fill it in or remove it")
        if not is_whole_text(text):
            raise DataError(
                f"{where}: {column!r} holds half a character (a lone surrogate); write it again "
                "from the source"
            )
    return value


def _nothing(value: Any) -> str:
    if value is None:
        return "null"
    return "only white space" if value else "empty"


def _json_value(value: Any, column: str, where: str) -> Any:
    try:
        return plain(value)
    except TypeError as error:
        raise DataError(
            f"{where}: {column!r} holds {error}; a field is text, a number, a list or an object"
        ) from error


def _label(table: Table, columns: Columns, row: Mapping[str, Any], where: str) -> Value | None:
    if columns.label not in row:
        if columns.require_labels:
            raise columns.no_label(_whole(table, where), row)
        return None
    value = row[columns.label]
    label = value if type(value) is str else _value(value, columns.label, where)
    if label is None and columns.require_labels:
        others = ", ".join(table.other_splits)
        remedy = f"; or take another split with --split ({others})" if others else ""
        raise DataError(
            f"{where}: no label ({columns.label!r} is null); fill it in or remove the row{remedy}"
        )
    return label


def _value(raw: Any, column: str, where: str) -> Value | None:
    value = _json_value(raw, column, where)
    if isinstance(value, list) and all(_is_scalar(item) for item in value):
        return tuple(value)
    if is_missing(value) or _is_scalar(value):
        label: Scalar | None = value
        return label
    raise DataError(
        f"{where}: {column!r} holds {value!r:.60}; a label is text, a number, true or false, "
        "or a list of these"
    )


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)
