"""The whole reply is the answer."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.errors import DataError
from promptkit.parsers.matching import THRESHOLD, Matcher


class Exact:
    """The reply is a word of a label and nothing else, case and punctuation around it aside."""

    _matcher = Matcher("exact")

    def extract(self, text: str) -> str:
        """The reply.

        Raises:
            DataError: It is empty.
        """
        if not text.strip():
            raise DataError("the reply is empty")
        return text.strip()

    def match(self, answer: str, words: Sequence[str]) -> int:
        """See `promptkit.protocols.Parser.match`."""
        return self._matcher.place(answer, words)


class Prefix(Exact):
    """The reply begins with a word of a label; the longest such word counts."""

    _matcher = Matcher("prefix")


class Fuzzy(Exact):
    """The reply is like one word, and more so than like all others.

    Args:
        threshold: How like at least, from 0 to 1; see `Matcher`.
    """

    def __init__(self, threshold: float = THRESHOLD) -> None:
        self.threshold = threshold
        self._matcher = Matcher("fuzzy", threshold)
