"""Which of several words an answer is: exactly, by its beginning, or nearly."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal

from rapidfuzz.fuzz import ratio

from promptkit.errors import DataError, SpecError, nearest

Match = Literal["exact", "prefix", "fuzzy"]
MATCHES: tuple[Match, ...] = ("exact", "prefix", "fuzzy")
#: How like an answer and a word must be, from 0 to 1: one typing error in five characters.
THRESHOLD = 0.8
#: Quotes, full stops, brackets and the marks of Markdown; signs such as + and % say something.
_FRAME = " .,:;!?¿¡…。、\"'“”„‘’‚«»‹›()[]{}*_`~"


class Matcher:
    """Finds the word that an answer is.

    A word as it is written is that word; else words are compared in `plain` form, and an answer
    that could be several of them is none.

    Args:
        how: ``exact``: it is the word; ``prefix``: it begins with the word, and the longest such
            word counts; ``fuzzy``: it is like the word, and more so than like any other.
        threshold: For ``fuzzy``, the least likeness from 0 to 1: twice the length of the longest
            common subsequence of characters over the length of both (the normalised Indel
            similarity, rapidfuzz).

    Raises:
        SpecError: No such way, or a threshold that is no share.
    """

    def __init__(self, how: str = "exact", threshold: float = THRESHOLD) -> None:
        if how not in MATCHES:
            raise SpecError(f"option 'match': no such value {how!r}; {nearest(how, MATCHES)}")
        if isinstance(threshold, bool) or not 0 < threshold <= 1:
            raise SpecError(f"option 'threshold': {threshold} is not above 0 and at most 1")
        self.how, self.threshold = how, threshold

    def place(self, answer: str, words: Sequence[str]) -> int:
        """The place of the word.

        Raises:
            DataError: It is none of them, or could be several.
        """
        said = plain(answer)
        if not said:
            raise DataError("the reply is empty")
        exact = [place for place, word in enumerate(words) if word.strip() == answer.strip()]
        if len(exact) == 1:
            return exact[0]
        known = [plain(word) for word in words]
        likeness = [self._likeness(said, word) for word in known]
        best = max(likeness)
        if best <= 0:
            raise DataError(f"the reply is no label ({self.told})")
        found = [place for place, value in enumerate(likeness) if value == best]
        if len(found) > 1:
            raise DataError(f"the reply could be more than one label ({self.told})")
        return found[0]

    @property
    def told(self) -> str:
        """How words are compared, for messages."""
        return f"{self.how}, at least {self.threshold:g}" if self.how == "fuzzy" else self.how

    def _likeness(self, said: str, word: str) -> float:
        """How well a word fits; 0 is not at all."""
        if self.how == "exact":
            return float(said == word)
        if self.how == "prefix":
            begins = bool(word) and said.startswith(word)
            # 'negatively' does not begin with the word 'negative'
            whole = not said[len(word) :][:1].isalnum()
            return float(len(word)) if begins and whole else 0.0
        found = ratio(said, word) / 100
        return found if found >= self.threshold else 0.0


def plain(text: str) -> str:
    """A text as words are compared: case, white space and what stands around them left out.

    >>> plain('  **Very Good.** ')
    'very good'
    """
    joined = " ".join(unicodedata.normalize("NFKC", text).split()).casefold()
    # what is nothing but punctuation is compared as it is: labels may be "?" and "!"
    return joined.strip(_FRAME) or joined
