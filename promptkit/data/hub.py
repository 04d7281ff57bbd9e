"""Data sets on the Hugging Face Hub, through ``datasets``; its errors are translated here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from promptkit.data.arrow import label_names, numbered
from promptkit.data.place import Place, Table
from promptkit.data.sources import Source
from promptkit.errors import DataError

_SPLIT_NAMES = {"train", "test", "validation", "dev", "val", "valid"}
_BATCH = 1000


def hub_source(origin: str) -> Source:
    """Load ``hf:owner/name[:config][:split]``.

    A lone second part is taken for a split when it is called like one and for a configuration
    otherwise; ``hf:owner/name::split`` leaves no doubt. A data set that needs its own code run is
    refused: ``trust_remote_code`` is never passed.

    Raises:
        DataError: A malformed id, no such data set, or no way to reach the Hub.
    """
    name, config, split = _parsed(origin)
    splits = _loaded(origin, name, config)
    return Source(
        name=f"{name}:{config}" if config else name,
        origin=origin,
        splits={
            each: partial(hub_table, rows, f"{origin} [{each}]") for each, rows in splits.items()
        },
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


def _loaded(origin: str, name: str, config: str | None) -> Mapping[str, Any]:
    import datasets

    try:
        loaded = datasets.load_dataset(name, config)
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
