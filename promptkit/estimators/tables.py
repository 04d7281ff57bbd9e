"""Whatever X is, it becomes a table: columns of plain values, which may have names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from promptkit.errors import DataError


class Table(NamedTuple):
    """Rows as columns.

    Args:
        names: What X calls its columns; None for texts and arrays, whose columns have an order
            alone.
        width: Columns.
        n: Rows.
        column: The n values of the column at a place.
        flat: Whether X is a list of texts, with no second dimension.
    """

    names: tuple[str, ...] | None
    width: int
    n: int
    column: Callable[[int], list[Any]]
    flat: bool = False


def table_of(X: Any) -> Table:
    """Read a list or array of texts, a Series, a data frame, mappings, or an (n, m) array.

    Data frames may be pandas', polars', pyarrow's or of ``datasets``. Nothing is imported for them:
    each is known by the methods that it has.

    Raises:
        DataError: One text in place of a list, or something that has no rows of text.
    """
    if hasattr(X, "nnz") and hasattr(X, "toarray"):
        raise DataError("X is a sparse matrix of numbers; give texts, a data frame or mappings")
    if isinstance(X, str | bytes | Mapping):
        raise DataError(f"X is one {type(X).__name__}; give a list of rows")
    names = _names(X)
    if names is not None:
        return _frame(X, names)
    return _rows(X)


def values_of(column: Any) -> list[Any]:
    """A column of whatever library as Python's own values.

    Raises:
        DataError: It is no column.
    """
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, method):
            found = getattr(column, method)()
            return found if isinstance(found, list) else [found]
    if hasattr(column, "__array__"):
        return values_of(np.asarray(column))
    try:
        return list(column)
    except TypeError as error:
        raise DataError(
            f"X is a {type(column).__name__}; give a list of texts, a data frame or mappings"
        ) from error


def _names(X: Any) -> tuple[Any, ...] | None:
    """Names of the columns of a data frame; None for what is no data frame."""
    if hasattr(X, "column_names"):  # pyarrow and datasets
        return tuple(X.column_names)
    if hasattr(X, "columns") and hasattr(X, "shape"):  # pandas and polars
        return tuple(X.columns)
    return None


def _frame(X: Any, names: tuple[Any, ...]) -> Table:
    n = int(X.shape[0])

    def column(place: int) -> list[Any]:
        if hasattr(X, "iloc"):
            return values_of(X.iloc[:, place])  # by place: pandas may call two columns alike
        return values_of(X[names[place]])

    return Table(_as_names(names), len(names), n, column)


def _as_names(names: tuple[Any, ...]) -> tuple[str, ...] | None:
    """As scikit-learn takes them: columns that are numbered (pandas' own names) have no names.

    Raises:
        DataError: Names and numbers mixed, or one name twice.
    """
    texts = [isinstance(name, str) for name in names]
    if names and not any(texts):
        return None
    if not all(texts):
        raise DataError(
            "X has columns that are called by text and by numbers; rename them: "
            "X.columns = X.columns.astype(str)"
        )
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"X has two columns {name!r}; rename one of them")
    return tuple(str(name) for name in names)


def _rows(X: Any) -> Table:
    if hasattr(X, "__array__") and hasattr(X, "shape"):
        _check_array(X)
    rows = values_of(X)
    if rows and any(isinstance(row, Mapping) for row in rows):
        return _mappings(rows)
    if not rows:
        shape: tuple[int, ...] = tuple(getattr(X, "shape", ()))
        return Table(None, shape[1] if len(shape) > 1 else 1, 0, lambda place: [])
    if not _has_values(rows[0]):
        for number, row in enumerate(rows, start=1):
            if _has_values(row):
                raise DataError(f"X row {number}: a list of values, and row 1 is a single one")
        return Table(None, 1, len(rows), lambda place: rows, flat=True)
    wide = [list(row) if _has_values(row) else [row] for row in rows]
    for number, row in enumerate(wide, start=1):
        if len(row) != len(wide[0]):
            raise DataError(
                f"X row {number}: {len(row)} values, and row 1 has {len(wide[0])}; give each as "
                "many, or mappings"
            )
    return Table(None, len(wide[0]), len(wide), lambda place: [row[place] for row in wide])


def _has_values(row: Any) -> bool:
    array = hasattr(row, "tolist") and getattr(row, "ndim", 0) > 0
    return array or (isinstance(row, Sequence) and not isinstance(row, str | bytes))


def _mappings(rows: Sequence[Any]) -> Table:
    names: dict[str, None] = {}
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            raise DataError(f"X row {number}: a {type(row).__name__}, and others are mappings")
        names |= dict.fromkeys(str(key) for key in row)
    known = tuple(names)
    # what a row lacks is missing, as in a data frame of these mappings
    return Table(
        known, len(known), len(rows), lambda place: [row.get(known[place]) for row in rows]
    )


def _check_array(X: Any) -> None:
    """As scikit-learn words it, so that what looks for its messages finds them."""
    kind, shape = getattr(getattr(X, "dtype", None), "kind", ""), tuple(X.shape)
    if kind == "c":
        raise DataError("Complex data not supported: X holds complex numbers; give texts")
    if len(shape) not in (1, 2):
        raise DataError(
            f"Found array with dim {len(shape)}: X has the shape {shape}; give a list of texts, or "
            "an array with a row for each and the fields as columns"
        )
    if len(shape) == 2 and shape[1] == 0:
        raise DataError(
            f"Found array with 0 feature(s) (shape={shape}) while a minimum of 1 is required."
        )
