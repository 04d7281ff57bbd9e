"""A model that runs on somebody's server: what it is asked with, and what cannot be known of it."""

from __future__ import annotations

from typing import Any

from promptkit.errors import SpecError
from promptkit.runs.spec import EvalSpec

#: Options of a server that change no score.
ONLY_TRANSPORT = {
    "base_url", "concurrency", "timeout", "retries", "backoff", "max_requests",
    "max_tokens_budget", "price", "api_key_env", "tokenizer",
}  # fmt: skip
#: Backends that ask a server.
SERVED = ("openai",)


def server_options(asked: EvalSpec) -> dict[str, Any]:
    """Options of a backend that asks a server.

    Raises:
        SpecError: No address, or an option of models that run here.
    """
    for option in ("device", "dtype", "batch_size"):
        if getattr(asked, option) != "auto":
            raise SpecError(
                f"--{option.replace('_', '-')} with --backend {asked.backend}: the server decides "
                "that; leave it out"
            )
    options = {"model": asked.model, **asked.backend_options}
    given = {"base_url": asked.base_url, "tokenizer": asked.tokenizer}
    options |= {key: value for key, value in given.items() if value is not None}
    if "base_url" not in options:
        raise SpecError(
            f"--backend {asked.backend} needs --base-url, such as http://localhost:8000/v1"
        )
    return options


def served_notes(name: str) -> tuple[str, ...]:
    """What a reader must know of a model that runs elsewhere."""
    if name not in SERVED:
        return ()
    return (
        "the model runs on a server: which weights answered is what the server says, and cannot "
        "be verified",
    )
