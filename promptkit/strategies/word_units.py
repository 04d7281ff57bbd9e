"""Words of a row, each with a tag: what fine-tuning and frozen features see of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promptkit.backends.tokens import Tokens
from promptkit.prompts.parts_asked import about_words, words_of
from promptkit.strategies.classified import spread, targets_of
from promptkit.strategies.pooling import Pooling
from promptkit.strategies.pretrained import Pretrained, WordIds
from promptkit.strategies.reading import Reading
from promptkit.strategies.units import Logits
from promptkit.strategies.word_by_word import tagged
from promptkit.types import Evidence, Example, Piece, Prediction, Scalar
from promptkit.verbalizers.conclude import prediction_of


class Words:
    """Each word of a row has a tag; a word's vector is the state of its first token.

    As Devlin et al. (2019) tag named entities. Words are joined by blanks. A row whose end the
    model does not read is unscored: its last words have no state.

    Args:
        field: The field that holds a row's words.
    """

    pooling: Pooling | None = "words"

    def __init__(self, field: str) -> None:
        self.field = field

    def targets(
        self, train: Sequence[Example], labels: Sequence[Scalar]
    ) -> tuple[NDArray[np.int64], list[Any]]:
        """The tags that occur, and of each row the places of its words' tags among them."""
        parts = [about_words(row, self.field) for row in train]
        places = targets_of([word for own in parts for word in own], labels)
        seen, local = np.unique(places, return_inverse=True)
        ends = np.cumsum([len(own) for own in parts])[:-1]
        return seen, [own.tolist() for own in np.split(local, ends)]

    def ids(
        self, base: Pretrained, reading: Reading | None, rows: Sequence[Example]
    ) -> tuple[list[Any], list[int]]:
        """Token ids with the place of each word's first token."""
        own = [words_of(row, self.field) for row in rows]
        found = word_ids(base.tokens, own, base.max_tokens)
        cut = [
            sum(map(len, words[len(ids.starts) :])) for words, ids in zip(own, found, strict=True)
        ]
        return found, cut

    def count(self, rows: Sequence[Example]) -> int:
        """One a word."""
        return sum(len(words_of(row, self.field)) for row in rows)

    def read(self, targets: Sequence[Any], ids: Sequence[Any]) -> list[Any]:
        """Words beyond what the model reads teach nothing."""
        return [own[: len(one.starts)] for own, one in zip(targets, ids, strict=True)]

    def stratum(self, targets: Any) -> int:
        """Rows are held out without regard to their tags."""
        return 0

    def whole(self, targets: Sequence[Any]) -> NDArray[Any]:
        """(m,) places of all words' tags."""
        return np.array([place for own in targets for place in own], np.int64)

    def evidence(self, rows: Sequence[Example], said: Logits) -> list[Evidence]:
        """A row's (k,) normalised log-probabilities word by word, in `Evidence.members`."""
        log_p = spread(said.values.double().log_softmax(1).numpy(), said.seen, said.k)
        return word_evidence(rows, self.field, log_p, said.kind, said.cut)

    def conclude(
        self, rows: Sequence[Example], evidence: Sequence[Evidence], labels: Sequence[Scalar]
    ) -> list[Prediction]:
        """The most probable tag of each word."""
        return [conclude_words(row, one, labels) for row, one in zip(rows, evidence, strict=True)]


def word_evidence(
    rows: Sequence[Example],
    field: str,
    log_p: NDArray[np.float64],
    kind: str,
    cut: Sequence[int],
) -> list[Evidence]:
    """A row's (k,) log-probabilities word by word, in `Evidence.members`.

    Args:
        rows: The rows.
        field: That holds a row's words.
        log_p: (m, k) of all words that were read, row after row.
        kind: What the numbers are.
        cut: Characters of each row that were not read.
    """
    found, start = [], 0
    for row, lost in zip(rows, cut, strict=True):
        words = words_of(row, field)
        if lost:
            n = _read(words, lost)
            why = f"the model reads {n} of its {len(words)} words; part the row"
            found.append(Evidence(row.id, (), kind=kind, cut_chars=lost, problem=why))
            start += n
            continue
        own = log_p[start : start + len(words)]
        start += len(words)
        members = tuple(
            Evidence(f"{row.id}/{place}", tuple(map(float, one)), kind=kind)
            for place, one in enumerate(own)
        )
        found.append(Evidence(row.id, (), kind=kind, members=members))
    return found


def conclude_words(row: Example, evidence: Evidence, labels: Sequence[Scalar]) -> Prediction:
    """The most probable tag of each word."""
    if evidence.problem:
        return Prediction(
            row.id, None, None, evidence.kind, cut_chars=evidence.cut_chars,
            problem=evidence.problem,
        )  # fmt: skip
    return tagged(
        row.id, [prediction_of(np.array(one.log_p), labels, one) for one in evidence.members]
    )


def word_ids(tokens: Tokens, rows: Sequence[Sequence[str]], max_tokens: int) -> list[WordIds]:
    """Token ids of words joined by blanks, and where each word begins, as far as there is room.

    A token may begin with the blank before a word (" dog"), so that a word begins in the first
    token that ends behind its first character.
    """
    before, after = tokens.wrapping
    room = max_tokens - len(before) - len(after)
    texts = [" ".join(own) for own in rows]
    found = []
    for own, encoded in zip(rows, tokens.encode([(Piece(t, True),) for t in texts]), strict=True):
        starts, at, token = [], 0, 0
        spans = encoded.spans
        for word in own:
            while token < len(spans) and spans[token][1] <= at:
                token += 1
            if token >= min(room, len(spans)):
                break
            starts.append(len(before) + token)
            at += len(word) + 1
        found.append(WordIds([*before, *encoded.ids[:room], *after], starts))
    return found


def _read(words: Sequence[str], lost: int) -> int:
    """How many words were read, where so many characters of the last ones were not."""
    n = len(words)
    while lost > 0:
        n -= 1
        lost -= len(words[n])
    return n
