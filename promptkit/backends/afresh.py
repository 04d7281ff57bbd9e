"""Work that begins with nothing known: what earlier work computed is not looked at inside.

Whoever measures what a way of adapting takes must not find what another way has read before it.
Inside `afresh` a cache answers only with what was put into it since the block began; what is
computed there is kept as ever.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: By cache, the keys that were put since the innermost block began; None outside of all blocks.
_since: ContextVar[dict[int, set[Hashable]] | None] = ContextVar("since", default=None)


@contextmanager
def afresh() -> Iterator[None]:
    """Inside, caches know only what is computed inside."""
    token = _since.set({})
    try:
        yield
    finally:
        _since.reset(token)


def may_know(cache: object, key: Hashable) -> bool:
    """Whether a cache may answer with what it holds under a key."""
    since = _since.get()
    return since is None or key in since.get(id(cache), ())


def note(cache: object, keys: Iterable[Hashable]) -> None:
    """A cache was given something under these keys."""
    since = _since.get()
    if since is not None:
        since.setdefault(id(cache), set()).update(keys)
