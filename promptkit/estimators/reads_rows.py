"""What all estimators do with X: remember its fields in fit, and look for them afterwards."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promptkit.estimators.refused import InputRefused
from promptkit.estimators.rows import examples_of_table
from promptkit.estimators.tables import Table, table_of
from promptkit.types import Example


class ReadsRows:
    """A mixin for estimators whose features are fields of rows.

    As in scikit-learn's `ColumnTransformer`, columns that have names are found by them: their order
    is of no meaning, and further ones are not read.

    Attributes:
        n_features_in_: Number of fields.
        feature_names_in_: Names of the fields; there where X had names for its columns in `fit`.
    """

    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    _fields: tuple[str, ...]
    #: Names and number of all columns that `fit` was given, those included that are not read.
    _columns: tuple[tuple[str, ...] | None, int] | None

    def _table(self, X: Any) -> Table:
        """X as a table; the one door that all rows come through."""
        return table_of(X)

    def _note_fields(self, table: Table | None, fields: Sequence[str]) -> None:
        """Remember what `fit` was given."""
        self._fields = tuple(fields)
        self.n_features_in_ = len(self._fields)
        self._columns = None if table is None else (table.names, table.width)
        if table is not None and table.names is not None:
            self.feature_names_in_ = np.array(self._fields, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_  # of an earlier fit

    def _examples(self, table: Table) -> tuple[Example, ...]:
        """Checked rows of the fields that `fit` was given.

        Raises:
            InputRefused: Another number of columns, or a column that is not there.
            DataError: A row that cannot be read.
        """
        fields = self._fields
        if table.names is None and table.n:
            self._check_width(table)
            if len(fields) > 1 and hasattr(self, "feature_names_in_"):
                warnings.warn(
                    f"X does not have valid feature names, but {type(self).__name__} was fitted "
                    f"with feature names: its columns are read as {', '.join(fields)}",
                    UserWarning,
                    stacklevel=4,
                )
        return examples_of_table(table, fields)

    def _check_width(self, table: Table) -> None:
        wanted = len(self._fields)
        if table.width == wanted:
            return
        fields = ", ".join(self._fields)
        if table.flat:
            raise InputRefused(
                f"Expected 2D array, got 1D array instead: {wanted} fields are read ({fields}). "
                "Reshape your data to a row with a value for each, or give a data frame or mappings"
            )
        raise InputRefused(
            f"X has {table.width} features, but {type(self).__name__} is expecting {wanted} "
            f"features as input: {fields}; give a data frame or mappings with these names"
        )
