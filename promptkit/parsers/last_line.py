"""The last line of the reply is the answer, as of a model that was told to reason first."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.errors import DataError
from promptkit.parsers.matching import THRESHOLD, Matcher


class LastLine:
    """Takes the last line that is not empty.

    Args:
        match: ``exact``, ``prefix`` or ``fuzzy``; see `Matcher`.
        threshold: For ``fuzzy``.
    """

    def __init__(self, match: str = "exact", threshold: float = THRESHOLD) -> None:
        self._matcher = Matcher(match, threshold)

    def extract(self, text: str) -> str:
        """The line.

        Raises:
            DataError: The reply is empty.
        """
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if not lines:
            raise DataError("the reply is empty")
        return lines[-1]

    def match(self, answer: str, words: Sequence[str]) -> int:
        """See `promptkit.protocols.Parser.match`."""
        return self._matcher.place(answer, words)
