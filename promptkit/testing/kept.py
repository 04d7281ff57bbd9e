"""A promise that is kept, or an error that says which one is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from promptkit.errors import PromptkitError
from promptkit.types import Example


class Broken(AssertionError):
    """A part does not keep what its seam promises; the message says what."""


def keep(promise: bool, part: object, told: str) -> None:
    """Go on where a promise is kept.

    Raises:
        Broken: It is not; unlike an ``assert`` it also speaks under ``python -O``.
    """
    if not promise:
        raise Broken(f"{type(part).__name__}: {told}")


def refuses(
    part: object, call: Callable[[], Any], told: str, kind: type[Exception] = PromptkitError
) -> None:
    """Look that a call raises an error on purpose.

    Raises:
        Broken: It returns, or raises something else.
    """
    try:
        call()
    except kind:
        return
    except Exception as error:
        raise Broken(
            f"{type(part).__name__}: {told} must be a {kind.__name__}, and is a "
            f"{type(error).__name__}: {error}"
        ) from error
    raise Broken(f"{type(part).__name__}: {told} must be a {kind.__name__}, and is accepted")


_WORDS = "tea sun map red oak jam fog hen".split()


def row(number: int, labels: tuple[Any, ...] = ("a", "b")) -> Example:
    """A row whose text shares words with some others."""
    text = f"{_WORDS[number % 8]} {_WORDS[number // 2 % 8]} number {number}"
    return Example(f"r{number:02}", {"text": text}, labels[number % len(labels)])


#: Labelled rows to choose from, and rows that are asked about.
POOL = [row(number) for number in range(20)]
QUERIES = [Example(f"q{at}", {"text": f"{word} and more"}) for at, word in enumerate(_WORDS)]
