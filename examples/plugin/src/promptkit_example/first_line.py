"""A parser: the first line of the reply is the answer."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.errors import DataError
from promptkit.parsers.matching import Matcher


class FirstLine:
    """Takes the first line that is not empty, as of a model that explains itself afterwards.

    Args:
        match: ``exact``, ``prefix`` or ``fuzzy``.
    """

    def __init__(self, match: str = "exact") -> None:
        self._matcher = Matcher(match)

    def extract(self, text: str) -> str:
        """The line; an error names what is missing and leaves the reply out."""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if not lines:
            raise DataError("the reply is empty")
        return lines[0]

    def match(self, answer: str, words: Sequence[str]) -> int:
        """The place of the word that the line is."""
        return self._matcher.place(answer, words)
