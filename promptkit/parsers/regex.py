r"""A regular expression finds the answer, such as ``[Tt]he answer is (.+?)\.?$``."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from promptkit.errors import DataError, SpecError
from promptkit.parsers.matching import THRESHOLD, Matcher

#: Seconds that a search may take: some patterns take hours on some texts.
PATIENCE = 2.0


class Regex:
    """Takes what the last place where the pattern fits holds.

    The last, since a model that reasons may say the words before it comes to its answer.

    Args:
        pattern: In the words of Python's `re`, which the library `regex` extends; ``^`` and ``$``
            are the ends of a line. Its first group is the answer, or all that it fits where there
            is no group.
        match: ``exact``, ``prefix`` or ``fuzzy``; see `Matcher`.
        threshold: For ``fuzzy``.

    Raises:
        SpecError: No regular expression.
    """

    def __init__(self, pattern: str, match: str = "exact", threshold: float = THRESHOLD) -> None:
        self.pattern = pattern = str(pattern)
        self._matcher = Matcher(match, threshold)
        try:
            self._compiled = regex.compile(pattern, regex.MULTILINE)
        except regex.error as error:
            raise SpecError(
                f"parser 'regex': {pattern!r} is no regular expression ({error})"
            ) from error

    def extract(self, text: str) -> str:
        """What was found.

        Raises:
            DataError: Nothing, or not in time.
        """
        try:
            found = list(self._compiled.finditer(text, timeout=PATIENCE))
        except TimeoutError as error:
            raise DataError(
                f"the pattern {self.pattern!r} takes too long on the reply; write a simpler one"
            ) from error
        # the last one may be an empty one at the very end
        for one in reversed(found):
            said = one.group(1 if self._compiled.groups else 0)
            if said and said.strip():
                return str(said.strip())
        raise DataError(f"the reply does not fit the pattern {self.pattern!r}")

    def match(self, answer: str, words: Sequence[str]) -> int:
        """See `promptkit.protocols.Parser.match`."""
        return self._matcher.place(answer, words)
