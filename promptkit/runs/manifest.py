"""``promptkit.json``: what a saved model says about itself, checked before it is used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from promptkit.data.ids import canonical
from promptkit.errors import StoreError
from promptkit.runs.files import write_json

FILE = "promptkit.json"
#: Where the strategy's own files lie.
LEARNED = "learned"
#: Raised whenever a folder of the older form could be misread.
FORMAT = 1
_NEEDED = ("strategy", "labels", "reading", "columns", "template", "model", "seed", "trained_on")


def is_saved(folder: str | Path) -> bool:
    """Whether a folder says that it holds a saved model."""
    return (Path(folder).expanduser() / FILE).is_file()


def write_manifest(folder: Path, content: Mapping[str, Any]) -> None:
    """Write the file, with a hash of each of the strategy's files and one of the file itself."""
    whole = {"format": FORMAT, **content, "files": _hashes(folder)}
    write_json(folder / FILE, {**whole, "hash": _hash(whole)})


def read_manifest(folder: str | Path, *, files: bool = True) -> dict[str, Any]:
    """What a saved model says about itself.

    Args:
        folder: Its folder.
        files: Whether to check the strategy's files as well, which reads all of them.

    Raises:
        StoreError: No saved model; one of a newer promptkit; a file that is missing, broken or
            changed since it was saved.
    """
    path = Path(folder).expanduser()
    try:
        content = json.loads((path / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StoreError(
            f"{folder}: holds no {FILE}, so it is no saved model; make one with: promptkit tune"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(
            f"{path / FILE}: cannot be read ({error}); save the model again"
        ) from error
    _check(path, content)
    if files:
        _check_files(path, content["files"])
    return dict(content)


def _check(path: Path, content: Any) -> None:
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise StoreError(f"{path / FILE}: was not written by promptkit; save the model again")
    if content["format"] > FORMAT:
        raise StoreError(
            f"{path / FILE}: is of format {content['format']}, and this promptkit reads up to "
            f"{FORMAT}; update promptkit (it was saved by {content.get('promptkit')})"
        )
    missing = [name for name in (*_NEEDED, "files", "hash") if name not in content]
    if missing:
        raise StoreError(f"{path / FILE}: says nothing about {missing[0]!r}; save the model again")
    said = content["hash"]
    if said != _hash({key: value for key, value in content.items() if key != "hash"}):
        raise StoreError(
            f"{path / FILE}: was changed after it was saved; restore it, or save the model again"
        )


def _check_files(path: Path, said: Mapping[str, str]) -> None:
    for name, expected in said.items():
        file = path / name
        if not file.is_file():
            raise StoreError(f"{file}: is missing; copy the whole folder, or save the model again")
        if _digest(file) != expected:
            raise StoreError(
                f"{file}: was changed after it was saved; restore it, or save the model again"
            )


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(file for file in (folder / LEARNED).rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): _digest(file) for file in files}


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(content).encode()).hexdigest()
