"""The door: a source in, a `Dataset` out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from promptkit.data.checks import examples_of
from promptkit.data.columns import ID, LABEL, Columns
from promptkit.data.dataset import Dataset
from promptkit.data.place import NumberedRow, Place, Table
from promptkit.data.sources import Source, find
from promptkit.errors import DataError
from promptkit.types import Scalar


def load(
    source: str | Path,
    *,
    split: str | None = None,
    columns: Mapping[str, str] | None = None,
    label_field: str = LABEL,
    id_field: str = ID,
    require_labels: bool = True,
    fields: Sequence[str] = (),
    limit: int | None = None,
    class_numbers: bool = False,
) -> Dataset:
    """Load one split of a data set and check every row of it.

    Args:
        source: The name of a data set in the box; a folder with a file per split; a folder that
            ``datasets`` saved; a csv, tsv, jsonl, ndjson, json or parquet file; several by a
            pattern such as ``parts/*.csv.zst``; or ``hf:owner/name[:config][:split]``.
        split: Which split; by default test, else validation (dev, val), else the only one, else
            train.
        columns: Template field to column, where the names differ.
        label_field: The column of gold labels.
        id_field: The column of ids, used where there is one; without, an id is a hash of what the
            row says.
        require_labels: Whether a row without a label is an error.
        fields: The template's fields. They alone are read, and none may be empty. Without any,
            every column but id and label is read, unchecked.
        limit: Read the first so many rows and look no further: of a set on the Hub no more is
            downloaded.
        class_numbers: Leave classes that the data set numbers as numbers, not as their names.

    Raises:
        DataError: What was wrong, in which file and line, and what to do.
    """
    wanted = Columns(tuple(fields), columns or {}, label_field, id_field, require_labels)
    if limit is not None and limit < 1:
        raise DataError(f"cannot read the first {limit} rows of {source}; ask for 1 or more")
    found = find(source, streaming=limit is not None)
    return _read(found, found.chosen(split), wanted, limit, class_numbers)


def train_split_of(
    source: str | Path,
    *,
    split: str | None = None,
    columns: Mapping[str, str] | None = None,
    label_field: str = LABEL,
    id_field: str = ID,
    require_labels: bool = True,
    fields: Sequence[str] = (),
    class_numbers: bool = False,
) -> Dataset | None:
    """The training rows that go with what `load` gives for the same arguments.

    None where there are none: the source is one file, has no split ``train``, or ``train`` itself
    is evaluated.
    """
    wanted = Columns(tuple(fields), columns or {}, label_field, id_field, require_labels)
    found = find(source)
    if found.is_file or "train" not in found.splits or found.chosen(split) == "train":
        return None
    return _read(found, "train", wanted, class_numbers=class_numbers)


def columns_of(source: str | Path, *, split: str | None = None) -> tuple[str, ...]:
    """The columns of the split that `load` would read; of JSON rows, those of the first one."""
    found = find(source)
    table = found.splits[found.chosen(split)]()
    if table.columns is not None:
        return table.columns
    return next((tuple(map(str, row)) for _, row in table.rows), ())


def from_records(
    records: Any,
    *,
    name: str = "records",
    split: str = "all",
    labels: Sequence[Scalar] | None = None,
    columns: Mapping[str, str] | None = None,
    label_field: str = LABEL,
    id_field: str = ID,
    require_labels: bool = True,
    fields: Sequence[str] = (),
) -> Dataset:
    """Make a data set of rows that are already in Python, through the same checks as `load`.

    Args:
        records: Mappings from column to value; a pandas data frame; or a ``datasets.Dataset``.
        name: What tables call it.
        split: Which part of it this is.
        labels: Its labels in canonical order, if they are known.
        columns: See `load`.
        label_field: See `load`.
        id_field: See `load`.
        require_labels: See `load`.
        fields: See `load`.

    Raises:
        DataError: As for `load`; rows are counted from 1.
    """
    wanted = Columns(tuple(fields), columns or {}, label_field, id_field, require_labels, True)
    table = table_of(records, name)
    examples, numbers = examples_of(table, wanted)
    declared = tuple(labels) if labels is not None else table.label_names.get(label_field)
    return Dataset(name, split, examples, declared, name, table.place, numbers)


def _read(
    found: Source,
    split: str,
    wanted: Columns,
    limit: int | None = None,
    class_numbers: bool = False,
) -> Dataset:
    others = tuple(name for name in found.splits if name != split)
    table = replace(found.splits[split](), other_splits=others)
    if class_numbers:
        table = replace(table, rows=_numbers_again(table), label_names={})
    if limit is not None:
        table = replace(table, rows=islice(table.rows, limit))
    examples, numbers = examples_of(table, wanted)
    declared: tuple[Scalar, ...] | None = table.label_names.get(wanted.label)
    if found.labels is not None and wanted.label == found.label_field:
        declared = found.labels
    return Dataset(found.name, split, examples, declared, found.origin, table.place, numbers)


def _numbers_again(table: Table) -> Iterator[NumberedRow]:
    """The rows with the numbers of classes where readers put their names."""
    for number, row in table.rows:
        back = {
            column: names.index(row[column])
            for column, names in table.label_names.items()
            if row.get(column) in names
        }
        yield number, {**row, **back}


def table_of(records: Any, name: str) -> Table:
    """Rows that are in Python, as a table: mappings, a data frame or a ``datasets.Dataset``."""
    if hasattr(records, "features") and hasattr(records, "with_format"):
        from promptkit.data.hub import hub_table

        return hub_table(records, name)
    if hasattr(records, "to_dict") and hasattr(records, "columns"):
        columns = tuple(str(column) for column in records.columns)
        return Table(Place(name), _numbered(records.to_dict("records"), name), columns=columns)
    return Table(Place(name), _numbered(records, name))


def _numbered(records: Iterable[Any], name: str) -> Iterable[NumberedRow]:
    for number, row in enumerate(records, start=1):
        if not isinstance(row, Mapping):
            raise DataError(
                f"{name} row {number}: a {type(row).__name__}, not a mapping from column to value"
            )
        yield number, row
