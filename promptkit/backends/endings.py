"""Labels behind the last words of a prompt: encoded once for all rows whose prompts end alike.

Prompt and label have to be encoded together, since a tokenizer may join them. But what a label does
to the tokens before it ends a few characters back, and there prompts say the same of every row:
``Sentiment:`` on a line of its own. So a row's prompt is encoded with its first label only. Where
its ids end in those of the prompt's last words with this label, the ids of the other labels behind
these words take their place. Whether a tokenizer allows that is not taken on trust: of
every row the first label's ids must stand where they are expected, and for the first such row
everything is compared with the encoding of the whole texts. What fails is encoded whole.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from promptkit.types import Piece, Text

if TYPE_CHECKING:
    from promptkit.backends.tokens import Encoded, Tokens

Ids = tuple[int, ...]
#: Characters of a prompt's end in which the last words are looked for.
LAST = 64
#: Endings that are kept.
KEPT = 1024
#: Stands before the last words when they are encoded: some tokenizers put a blank before a text.
_ANCHOR = Piece("x")


@dataclass(frozen=True)
class _Ending:
    """What is known of one end of prompts with some labels.

    Args:
        first: Ids of the last words and the first label.
        head: How many of them stand before what is scored.
        answers: Ids of each label.
    """

    first: Ids
    head: int
    answers: tuple[Ids, ...]


class Endings:
    """Finds the ids of labels behind prompts that end alike.

    Args:
        tokens: The tokenizer.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self._known: dict[tuple[str, tuple[Text, ...]], _Ending | None] = {}
        self._compared: set[tuple[str, tuple[Text, ...]]] = set()

    def behind(
        self, ground: Text, answers: tuple[Text, ...], first: Encoded
    ) -> tuple[Ids, tuple[Ids, ...]] | None:
        """Ids before what is scored and of each answer; None where only whole texts will tell.

        Args:
            ground: The prompt.
            answers: What follows it.
            first: The prompt with the first answer, encoded.
        """
        words = last_words(ground)
        if not words:
            return None
        key = (words, answers)
        if key not in self._known:
            if len(self._known) >= KEPT:
                self._known.clear()
                self._compared.clear()
            self._known[key] = self._ending(words, answers)
        known = self._known[key]
        found = _put(first.ids, known) if known else None
        if found is None or key in self._compared:
            return found
        whole = self.tokens.wholly(ground, answers)
        if found == whole:
            self._compared.add(key)
        else:
            self._known[key] = None
        return whole

    def _ending(self, words: str, answers: Sequence[Text]) -> _Ending | None:
        wholes = self.tokens.encode([(_ANCHOR, Piece(words), *answer) for answer in answers])
        begins = {_before(one, len(_ANCHOR.text)) for one in wholes}
        split = split_of(wholes, len(_ANCHOR.text) + len(words))
        start = min(begins)
        if len(begins) > 1 or split <= start:
            return None
        first = wholes[0].ids[start:]
        return _Ending(first, split - start, tuple(one.ids[split:] for one in wholes))


def split_of(wholes: Sequence[Encoded], boundary: int) -> int:
    """How many tokens stand before what is scored.

    Args:
        wholes: One prompt with each of its answers.
        boundary: Characters of the prompt.
    """
    start = min(_before(one, boundary) for one in wholes)
    if len(wholes) == 1:
        return start
    size = 0
    for column in zip(*(one.ids[:start] for one in wholes), strict=True):
        if len(set(column)) > 1:
            break
        size += 1
    return size


def _before(one: Encoded, boundary: int) -> int:
    """Tokens that hold no character from ``boundary`` on."""
    ends = list(accumulate((end for _, end in one.spans), max))  # never falling, to be searched
    return bisect_right(ends, boundary)


def _put(ids: Ids, ending: _Ending) -> tuple[Ids, tuple[Ids, ...]] | None:
    """The ids of a prompt and of its answers; None where its end is not as expected."""
    start = len(ids) - len(ending.first)
    if start < 0 or ids[start:] != ending.first:
        return None
    return ids[: start + ending.head], ending.answers


def last_words(ground: Text) -> str:
    r"""The end of a prompt that is the template's own, from a blank on; empty where there is none.

    >>> last_words((Piece("Review: "), Piece("fine", row=True), Piece("\nSentiment:")))
    '\nSentiment:'
    """
    own: list[str] = []
    for piece in reversed(ground):
        if piece.row and piece.text:
            break
        own.append(piece.text)
    text = "".join(reversed(own))[-LAST:]
    starts = (at for at, char in enumerate(text) if char.isspace() and text[at:].strip())
    return text[next(starts, 0) :]
