"""Data sets on the Hugging Face Hub, through ``datasets``; its errors are translated here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any

from promptkit.data.arrow import label_names, numbered
from promptkit.data.place import Place, Table
from promptkit.data.sources import Source
from promptkit.errors import DataError

_SPLIT_NAMES = {"train", "test", "validation", "dev", "val", "valid"}
_BATCH = 1000


def hub_source(origin: str, *, streaming: bool = False) -> Source:
    """Load ``hf:owner/name[:config][:split]``.

    A lone second part is taken for a split when it is called like one and for a configuration
    otherwise; ``hf:owner/name::split`` leaves no doubt. A data set that needs its own code run is
    refused: ``trust_remote_code`` is never passed.

    Args:
        origin: The id.
        streaming: Whether rows come as they are walked and none is kept, so that the first rows
            of a set of any size are there at once.

    Raises:
        DataError: A malformed id, no such data set, or no way to reach the Hub.
    """
    name, config, split = _parsed(origin)
    splits = _loaded(origin, name, config, streaming)
    table = streamed_table if streaming else hub_table
    return Source(
        name=f"{name}:{config}" if config else name,
        origin=origin,
        splits={each: partial(table, rows, f"{origin} [{each}]") for each, rows in splits.items()},
        split=split,
    )


def hub_table(rows: Any, file: str) -> Table:
    """The rows of a ``datasets.Dataset``, its class numbers turned into their names."""
    names = label_names(rows.features.to_dict())
    place = Place(file)
    return Table(
        place,
        numbered(_batches(rows), names, place),
        columns=tuple(rows.column_names),
        label_names=names,
    )


def streamed_table(rows: Any, file: str) -> Table:
    """The rows of a ``datasets.IterableDataset``, read as they are walked.

    Raises:
        DataError: The Hub cannot be reached, or ends a connection; rows that were walked stay.
    """
    batches = _told_of(_batches(rows), file)
    columns = rows.column_names
    if columns is None:  # CSV and JSON lines: only the first rows tell
        first = next(batches, None)
        columns = [] if first is None else first.column_names
        batches = chain(() if first is None else (first,), batches)
    names = label_names(rows.features.to_dict()) if rows.features is not None else {}
    place = Place(file)
    rows_of = numbered(batches, names, place)
    return Table(place, rows_of, columns=tuple(columns), label_names=names)


def _told_of(batches: Iterator[Any], file: str) -> Iterator[Any]:
    try:
        yield from batches
    except Exception as error:  # as many unrelated classes as `load_dataset` raises
        raise DataError(f"{file}: {_told(error)}; {_advice(error)}") from error


def _batches(rows: Any) -> Iterator[Any]:
    # Arrow's own values: a format set on the data set (torch) or an image decoder plays no part.
    return iter(rows.with_format("arrow").iter(batch_size=_BATCH))


def _parsed(origin: str) -> tuple[str, str | None, str | None]:
    name, *rest = origin.removeprefix("hf:").split(":")
    if not name.strip("/ ") or len(rest) > 2:
        raise DataError(f"{origin}: write hf:owner/name, hf:owner/name:config or with :split")
    if len(rest) == 1 and rest[0] in _SPLIT_NAMES:
        return name, None, rest[0]
    config, split = [*rest, "", ""][:2]
    return name, config or None, split or None


def _loaded(origin: str, name: str, config: str | None, streaming: bool) -> Mapping[str, Any]:
    import datasets

    try:
        options = {"streaming": True} if streaming else {}
        loaded = datasets.load_dataset(name, config, **options)
    except Exception as error:  # datasets raises a dozen unrelated classes here
        raise DataError(f"{origin}: {_told(error)}; {_advice(error)}") from error
    if not isinstance(loaded, Mapping):
        return {str(loaded.split or "train"): loaded}
    return loaded


def _told(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".")[:200] if lines else type(error).__name__


def _advice(error: Exception) -> str:
    text = str(error).lower()
    if "config name is missing" in text or "builderconfig" in text:
        return "name a configuration: hf:owner/name:config"
    if "scripts are no longer supported" in text or "trust_remote_code" in text:
        return "it needs its own code run, which is refused; save it as Parquet or JSON lines"
    if isinstance(error, ConnectionError) or "offline" in text or "couldn't reach" in text:
        return (
            "the Hub cannot be reached; where it can, save_to_disk the data set, "
            "and pass that folder here"
        )
    return "check the name, and that this account may read it (hf auth login)"
