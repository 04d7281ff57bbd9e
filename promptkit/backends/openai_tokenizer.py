"""The tokenizer of a model that runs elsewhere: a folder or a hub id, no weights needed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from promptkit.backends.tokens import Tokens
from promptkit.errors import BackendError

#: Files that say how text becomes token ids.
FILES = ("tokenizer*", "special_tokens_map.json", "vocab*", "merges.txt", "*.jinja", "config.json")


def load_tokens(name: str, chat_template_kwargs: Mapping[str, Any] | None = None) -> Tokens:
    """The tokenizer of a folder or a hub id; no code of theirs is run.

    Raises:
        BackendError: There is none.
    """
    from promptkit.backends.hf import load_tokenizer

    return Tokens(load_tokenizer(_folder(name)), chat_template_kwargs)


def tokenizer_hash(name: str) -> str:
    """Names the content of a tokenizer's files: 16 hexadecimal digits."""
    folder = _folder(name)
    digest = hashlib.sha256()
    for file in sorted({file for pattern in FILES for file in folder.glob(pattern)}):
        if file.is_file():
            digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _folder(name: str) -> Path:
    path = Path(name).expanduser()
    return path if path.is_dir() else _downloaded(name)


@lru_cache(maxsize=8)
def _downloaded(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(snapshot_download(name, allow_patterns=list(FILES)))
    except (OSError, ValueError, HfHubHTTPError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BackendError(
            f"tokenizer {name!r} is neither a folder nor to be had from the hub: {first}",
            hint="give the folder of the model's tokenizer",
        ) from error
