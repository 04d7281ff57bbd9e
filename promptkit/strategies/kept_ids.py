"""Ids of rows that were chosen, as a JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from promptkit.errors import StoreError


def write_ids(file: Path, ids: Sequence[str]) -> None:
    """Keep ids in their order."""
    file.write_text(json.dumps(list(ids)), encoding="utf-8")


def read_ids(file: Path) -> list[str]:
    """What `write_ids` wrote.

    Raises:
        StoreError: The file is missing or broken.
    """
    try:
        return [str(name) for name in json.loads(file.read_text(encoding="utf-8"))]
    except (OSError, ValueError) as error:
        raise StoreError(f"{file}: cannot be read ({error}); save the model again") from error
