"""What a saved strategy says about the model that it stands on, and needs to find again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from promptkit.backends.weights import Located
from promptkit.errors import BackendError, StoreError


def base_facts(located: Located) -> dict[str, str]:
    """The name and the content hash of a model."""
    return {"name": located.shown, "hash": located.hash()}


def check_base(said: Mapping[str, Any], located: Located) -> None:
    """Refuse a model that is not the one that was trained upon.

    Raises:
        BackendError: Another content.
    """
    if said.get("hash") != located.hash():
        raise BackendError(
            f"model {located.shown!r} has the hash {located.hash()}, and what was saved was "
            f"trained upon {said.get('name')!r} with {said.get('hash')}",
            hint="give the model that it was trained upon, or train again",
        )


def write_facts(file: Path, facts: Mapping[str, Any]) -> None:
    """Write facts as JSON."""
    file.write_text(json.dumps(dict(facts), indent=2) + "\n", encoding="utf-8")


def read_facts(file: Path, *needed: str) -> dict[str, Any]:
    """Read facts that `write_facts` wrote.

    Raises:
        StoreError: The file is missing or broken, or lacks a fact.
    """
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        missing = [name for name in needed if name not in facts]
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"{file}: cannot be read ({error}); save the model again") from error
    if missing:
        raise StoreError(f"{file}: says nothing about {missing[0]!r}; save the model again")
    return dict(facts)
