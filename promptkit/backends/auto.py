"""Which backend suits a model, told from its folder without loading it."""

from __future__ import annotations

from promptkit.backends import BACKENDS
from promptkit.backends.weights import Located
from promptkit.errors import CapabilityError


def backend_for(located: Located) -> str:
    """The backend that serves a model of this kind.

    Raises:
        CapabilityError: None does; names the backends and what each takes.
    """
    by_kind = {"sentence-encoder": "embedding", "causal": "hf"}
    kind = located.kind()
    if kind in by_kind:
        return by_kind[kind]
    what = ", ".join(located.config().get("architectures") or ["no architecture in config.json"])
    raise CapabilityError(
        f"model {located.name!r} ({what}) suits none of the backends {', '.join(BACKENDS)}: "
        "'hf' takes a causal language model, 'embedding' a sentence-transformers folder; "
        "choose one with --backend"
    )
