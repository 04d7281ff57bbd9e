"""Labelled rows in a strategy's folder, for strategies that need them to predict."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from promptkit.errors import SpecError, StoreError
from promptkit.types import Example


def write_rows(file: Path, rows: Sequence[Example]) -> None:
    """One JSON object per row, in order."""
    lines = [
        json.dumps({"id": row.id, "fields": dict(row.fields), "label": row.label}) + "\n"
        for row in rows
    ]
    file.write_text("".join(lines), encoding="utf-8")


def read_rows(file: Path) -> list[Example]:
    """The rows that `write_rows` wrote.

    Raises:
        StoreError: The file is missing or broken.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines]
        return [Example(row["id"], row["fields"], row["label"]) for row in found]
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"{file}: cannot be read ({error}); save the model again") from error


def named_rows(label_rows: Sequence[Example]) -> Mapping[str, Any]:
    """What a strategy's description says of its label rows: sixteen digits; nothing without any."""
    if not label_rows:
        return {}
    told = json.dumps([[dict(row.fields), row.label] for row in label_rows])
    return {"label_rows": hashlib.sha256(told.encode()).hexdigest()[:16]}


def counted_rows(label_rows: Sequence[Example]) -> Mapping[str, int]:
    """What the card of a saved model says of them."""
    return {"statements about labels learned": len(label_rows)} if label_rows else {}


def digits_of(rows: Sequence[Example]) -> str:
    """Sixteen digits for what rows say, in whatever order they come; no label is read."""
    told = sorted(json.dumps(dict(row.fields), sort_keys=True) for row in rows)
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def check_rows_given(option: str, rows: object) -> None:
    """Refuse what is no rows, for an option whose file is read before a strategy is built.

    Raises:
        SpecError: Names the option.
    """
    if isinstance(rows, str) or not isinstance(rows, Sequence):
        raise SpecError(
            f"option {option!r} is {rows!r}; give rows here, or name their file with --option "
            f"{option}=FILE of the strategy itself"
        )
