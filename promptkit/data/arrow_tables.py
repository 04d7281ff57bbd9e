"""Answered rows as Arrow tables, and tables as one Parquet file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from promptkit.errors import DataError

Row = Mapping[str, Any]


class Tables:
    """Makes tables that all have one schema, which the first rows decide.

    Args:
        columns: All columns in order.
        kinds: What the values of some columns are, which Parquet must know before it sees one.
        schema: What an earlier call has decided; None lets the first rows do it.
    """

    def __init__(
        self, columns: Sequence[str], kinds: Mapping[str, type], schema: Any = None
    ) -> None:
        self._columns, self._kinds, self.schema = tuple(columns), kinds, schema

    def of(self, rows: Sequence[Row], arrow: Any = None) -> Any:
        """The rows as a table.

        Args:
            rows: With all columns.
            arrow: The same rows' first columns as a record batch, where there is such.

        Raises:
            DataError: A value is not of its column's type, or a row has a column of its own.
        """
        import pyarrow

        added = self._columns[len(arrow.schema.names) :] if arrow is not None else self._columns
        whole = rows if arrow is not None else even_rows(rows, self._columns)
        records = [{name: row.get(name) for name in added} for row in whole]
        try:
            if self.schema is None:
                self.schema = self._decided(records, added, arrow)
            columns = list(arrow.columns) if arrow is not None else []
            columns += [
                pyarrow.array([record[name] for record in records], self.schema.field(name).type)
                for name in added
            ]
            return pyarrow.Table.from_arrays(columns, schema=self.schema)
        except (pyarrow.ArrowException, TypeError, ValueError, OverflowError) as error:
            why = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(
                f"values of one column do not have one type, as Parquet needs ({why}); write "
                ".jsonl instead"
            ) from error

    def _decided(self, records: list[dict[str, Any]], added: Sequence[str], arrow: Any) -> Any:
        import pyarrow

        own = pyarrow.schema(_types(records, added, self._kinds))
        if arrow is None:
            return own
        kept = {k: v for k, v in (arrow.schema.metadata or {}).items() if k != b"huggingface"}
        return pyarrow.schema([*arrow.schema, *own], metadata=kept or None)


def even_rows(rows: Sequence[Row], columns: Sequence[str]) -> Sequence[Row]:
    """The rows, none of which has a column of its own: a table would leave it out.

    Raises:
        DataError: One has.
    """
    known = set(columns)
    for row in rows:
        for name in row:
            if name not in known:
                raise DataError(
                    f"a row has the column {name!r}, which the first row lacks; write .jsonl "
                    "instead, where rows may differ"
                )
    return rows


def write_parquet(tables: Iterable[Any], schema: Any, file: Path, group_rows: int) -> None:
    """Write tables as one file, whose bytes depend on the rows and not on how they were cut.

    Args:
        tables: In order; a few are held at a time.
        schema: Of all of them.
        file: Where to.
        group_rows: Rows of each row group but the last.
    """
    from pyarrow import parquet

    with parquet.ParquetWriter(file, schema) as writer:
        for table in regrouped(tables, group_rows):
            writer.write_table(_recoded(table), row_group_size=group_rows)


def regrouped(tables: Iterable[Any], size: int) -> Iterator[Any]:
    """The same rows in tables of so many each, the last perhaps of fewer."""
    import pyarrow

    waiting: list[Any] = []
    held = 0
    for table in tables:
        start = 0
        while start < table.num_rows:
            piece = table.slice(start, size - held)
            waiting.append(piece)
            held, start = held + piece.num_rows, start + piece.num_rows
            if held == size:
                yield pyarrow.concat_tables(waiting)
                waiting, held = [], 0
    if waiting:
        yield pyarrow.concat_tables(waiting)


def _recoded(table: Any) -> Any:
    """One chunk a column, and of each dictionary what its rows use, in their order.

    Arrow writes pages chunk by chunk, and dictionaries as it finds them: both would show where
    the rows were cut.
    """
    import pyarrow

    for place, field in enumerate(table.schema):
        if pyarrow.types.is_dictionary(field.type):
            plain = table.column(place).cast(field.type.value_type).combine_chunks()
            table = table.set_column(place, field, plain.dictionary_encode().cast(field.type))
    return table.combine_chunks()


def _types(
    records: list[dict[str, Any]], names: Sequence[str], kinds: Mapping[str, type]
) -> list[tuple[str, Any]]:
    """The type of each column: as said, else by its values so far; text where there are none."""
    import pyarrow

    said = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64(),
            bool: pyarrow.bool_(), list: pyarrow.list_(pyarrow.float64()),
            tuple: pyarrow.list_(pyarrow.string())}  # fmt: skip
    found = []
    for name in names:
        if name in kinds:
            found.append((name, said[kinds[name]]))
            continue
        values = pyarrow.array([record[name] for record in records])
        nothing = pyarrow.types.is_null(values.type)
        found.append((name, pyarrow.string() if nothing else values.type))
    return found
