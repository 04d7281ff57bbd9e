"""Rows in Arrow's formats: Parquet files, and what ``datasets`` wrote with ``save_to_disk``.

Both are read with pyarrow alone. The features that ``datasets`` leaves in a file's metadata say
which integers are classes and what the classes are called.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from promptkit.data.place import NumberedRow, Place, Table
from promptkit.errors import DataError

LabelNames = Mapping[str, tuple[str, ...]]


def read_parquet(path: Path, file: str) -> Table:
    """Read a Parquet file, its class numbers turned into their names.

    Raises:
        DataError: Not a Parquet file, or two columns of one name.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        schema = parquet.read_schema(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{file}: not a Parquet file ({_first_line(error)})") from error
    names = label_names(_features_in(schema.metadata))
    place = Place(file)
    rows = numbered(_parquet_batches(path, file), names, place)
    return Table(place, rows, columns=_columns(schema.names, file), label_names=names)


def read_saved(folder: Path, file: str) -> Table:
    """Read what ``datasets.Dataset.save_to_disk`` wrote.

    Raises:
        DataError: The folder lacks a file that ``save_to_disk`` writes, or one is damaged.
    """
    import pyarrow

    try:
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
        paths = [folder / part["filename"] for part in state["_data_files"]]
        columns = _stream_columns(paths)
    except (OSError, ValueError, KeyError, pyarrow.ArrowException) as error:
        raise DataError(
            f"{file}: not what datasets' save_to_disk writes ({_first_line(error)}); save it again"
        ) from error
    names = label_names(info.get("features") or {})
    place = Place(file)
    rows = numbered(_stream_batches(paths, file), names, place)
    return Table(place, rows, columns=_columns(columns, file), label_names=names)


def label_names(features: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The class names by column, out of ``Features.to_dict()``; lists of classes included."""
    found = {}
    for column, feature in features.items():
        kind = feature.get("feature", feature) if isinstance(feature, Mapping) else None
        if isinstance(kind, Mapping) and kind.get("_type") == "ClassLabel":
            found[column] = tuple(str(name) for name in kind.get("names") or ())
    return {column: names for column, names in found.items() if names}


def numbered(batches: Iterable[Any], names: LabelNames, place: Place) -> Iterator[NumberedRow]:
    """Number the rows of record batches from 1, class numbers turned into their names."""
    number = 0
    for batch in batches:
        for row in batch.to_pylist():
            number += 1
            for column, classes in names.items():
                if column in row:
                    row[column] = _name(row[column], classes, place.at(number))
            yield number, row


def _name(value: Any, classes: tuple[str, ...], where: str) -> Any:
    if isinstance(value, list):
        return [_name(item, classes, where) for item in value]
    # -1 is how the Hub writes the hidden labels of a test split.
    if value is None or value == -1:
        return None
    if not 0 <= value < len(classes):
        raise DataError(
            f"{where}: class {value}, but the file declares {len(classes)} classes "
            f"(0 to {len(classes) - 1})"
        )
    return classes[value]


def _parquet_batches(path: Path, file: str) -> Iterator[Any]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as table:
            yield from table.iter_batches()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{file}: damaged ({_first_line(error)}); write it again") from error


def _stream_batches(paths: list[Path], file: str) -> Iterator[Any]:
    import pyarrow

    try:
        for path in paths:
            with pyarrow.OSFile(str(path)) as source, pyarrow.ipc.open_stream(source) as stream:
                yield from stream
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{file}: damaged ({_first_line(error)}); save it again") from error


def _stream_columns(paths: list[Path]) -> list[str]:
    import pyarrow

    if not paths:
        return []
    with pyarrow.OSFile(str(paths[0])) as source, pyarrow.ipc.open_stream(source) as stream:
        return list(stream.schema.names)


def _features_in(metadata: Mapping[bytes, bytes] | None) -> Mapping[str, Any]:
    try:
        noted = json.loads((metadata or {})[b"huggingface"])
        features = noted["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    return features if isinstance(features, Mapping) else {}


def _columns(names: list[str], file: str) -> tuple[str, ...]:
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{file}: {names.count(name)} columns are named {name!r}; rename one")
    return tuple(names)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
