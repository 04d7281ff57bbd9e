"""Which backend's answers are kept, where, and under which name.

Answers of models that are reached over a network, or that take long to load, are dear: they are
kept unless somebody says otherwise. What this process computes is not: naming a row takes 0.1 to 1
millisecond, as long as a fast model does, and a row that is computed beside other rows differs in
its last digits, so that a run would depend on what was run before it (docs/decisions/0013).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from promptkit.backends.response_cache import CachedBackend
from promptkit.backends.response_store import Responses, responses_home
from promptkit.errors import SpecError
from promptkit.prompts import Template
from promptkit.protocols import Backend
from promptkit.runs.spec import EvalSpec

#: Backends whose answers are kept by default.
DEAR = frozenset({"openai", "vllm"})


def is_cached(asked: EvalSpec, backend: str) -> bool:
    """Whether a backend's answers are kept.

    Raises:
        SpecError: A folder for what is not kept.
    """
    if asked.cache is False and asked.cache_folder is not None:
        raise SpecError("--cache-folder names a place and --no-cache keeps nothing: leave one out")
    if asked.dry_run:
        return False
    return asked.cache or asked.cache_folder is not None or (
        asked.cache is None and backend in DEAR
    )  # fmt: skip


def responses_for(asked: EvalSpec, backend: str) -> Responses | None:
    """The answers that a run takes and adds to; None where none are kept.

    Raises:
        StoreError: They cannot lie there; asked before a model is loaded.
    """
    if not is_cached(asked, backend):
        return None
    return Responses(_folder(asked.cache_folder), warned)


def responses_in(folder: str | None) -> Responses:
    """The answers in a folder, the usual one by default."""
    return Responses(_folder(folder), warned)


def cached(
    backend: Backend,
    responses: Responses | None,
    *,
    asked: EvalSpec,
    template: Template,
    described: Mapping[str, Any],
) -> Backend:
    """The backend, or one that takes and keeps answers.

    Args:
        backend: The backend.
        responses: The answers; None keeps none.
        asked: With ``fresh``, answers are written and not read.
        template: Its content is part of what names an answer.
        described: The backend's entry in the run's spec: all of it names an answer.
    """
    if responses is None:
        return backend
    identity = {"backend": dict(described), "template": template.hash()}
    return CachedBackend(
        backend, responses, identity, str(described["model"]), known=not asked.fresh
    )


def warned(message: str) -> None:
    """A line to standard error."""
    sys.stderr.write(f"promptkit: {message}\n")


def _folder(given: str | None) -> Path:
    return Path(given).expanduser() if given else responses_home()
