"""The answer is a field of a JSON object in the reply, whatever stands around the object."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from promptkit.errors import DataError
from promptkit.parsers.matching import THRESHOLD, Matcher

#: Places where an object may begin that are tried: a text of nothing but braces has many.
TRIED = 200


class JsonField:
    """Takes a field of the last object that has it.

    Args:
        field: Its name; names joined by dots lead into objects: ``answer.label``.
        match: ``exact``, ``prefix`` or ``fuzzy``; see `Matcher`.
        threshold: For ``fuzzy``.
    """

    def __init__(
        self, field: str = "answer", match: str = "exact", threshold: float = THRESHOLD
    ) -> None:
        self.field = field
        self._matcher = Matcher(match, threshold)

    def extract(self, text: str) -> str:
        """The field as text.

        Raises:
            DataError: No object has it, or it holds no text and no number.
        """
        value = None
        for found in _objects(text):
            inner = _at(found, self.field.split("."))
            value = inner if inner is not None else value
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str | int | float) and str(value).strip():
            return str(value).strip()
        raise DataError(f"the reply holds no JSON object with a field {self.field!r}")

    def match(self, answer: str, words: Sequence[str]) -> int:
        """See `promptkit.protocols.Parser.match`."""
        return self._matcher.place(answer, words)


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The whole objects in a text, from the first on."""
    decoder, at = json.JSONDecoder(), text.find("{")
    for _ in range(TRIED):
        if at < 0:
            return
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield found
        at = text.find("{", end)


def _at(found: Any, path: Sequence[str]) -> Any:
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found
