"""Which of a task's labels a value in a file stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from promptkit.types import Scalar, label_key

T = TypeVar("T", bound=Scalar)


def match_label(value: Scalar, labels: Iterable[T]) -> T | None:
    """The one label that a value stands for, or None where none or several could be meant.

    Tried in turn: the same value of the same type; the same number (1.0 for 1, never True for 1);
    the same written form (``"1"`` for 1, ``"True"`` for True); the same written form but for case
    and outer white space. The first of these that finds anything decides.

    >>> match_label("1", [0, 1]), match_label(True, [0, 1]), match_label(" Spam", ["ham", "spam"])
    (1, None, 'spam')
    """
    distinct = list({label_key(label): label for label in labels}.values())
    tests: tuple[Callable[[Scalar], object], ...] = (label_key, _number, str, _loose)
    for form in tests:
        wanted = form(value)
        found = [label for label in distinct if wanted is not None and form(label) == wanted]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _number(value: Scalar) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _loose(value: Scalar) -> str:
    return str(value).strip().casefold()
