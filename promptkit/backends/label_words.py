"""What a tokenizer makes of label words, and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from promptkit.backends.tokens import Request, Tokens
from promptkit.types import Candidate, Piece, flat


def findings(tokens: Tokens, request: Request, candidates: Sequence[Candidate]) -> list[str]:
    """Warnings about label words, in words.

    Args:
        tokens: The tokenizer.
        request: A prompt's token ids with these candidates.
        candidates: The candidates.
    """
    found = []
    named = [(candidate, ids) for candidate, ids in zip(candidates, request.answers, strict=True)]
    for (one, ids), (other, others) in combinations(named, 2):
        if ids == others:
            found.append(
                f"{_said(one)} and {_said(other)} become the same tokens: they cannot be told apart"
            )
        elif one.label != other.label and ids[0] == others[0]:
            word = tokens.words(ids[:1])[0]
            found.append(
                f"{_said(one)} and {_said(other)} share their first token {word!r}: only the whole "
                "string tells them apart, so a server that gives one token's scores will not do"
            )
    for candidate, ids in named:
        usual = _usual(tokens, candidate)
        if ids not in usual:
            found.append(
                f"{_said(candidate)} is split otherwise after the prompt ({_shown(tokens, ids)}) "
                f"than alone ({_shown(tokens, usual[0])}): mind the white space before the answer"
            )
    return found


def _usual(tokens: Tokens, candidate: Candidate) -> list[tuple[int, ...]]:
    """The ways in which a word is split where nothing but white space stands before it.

    Which one a prompt leads to depends on the tokenizer and on the prompt's end. GPT-2 writes
    `` good`` as ``Ġgood``, and ``good`` after a line break without the blank. Llama 2 puts a blank
    before every text, so that `` good`` by itself becomes ``▁ ▁good`` while `` good`` in the
    middle of a text is ``▁good``, as ``good`` by itself is; after a line break it is ``good``.
    """
    word = flat(candidate.text).strip()
    blank, bare, broken = tokens.encode(
        [(Piece(text),) for text in (f" {word}", word, f"\n{word}")]
    )
    after = tuple(i for i, (start, _) in zip(broken.ids, broken.spans, strict=True) if start > 0)
    given = tokens.encode([candidate.text])[0].ids
    return [blank.ids if given == blank.ids else bare.ids, blank.ids, bare.ids, after]


def _said(candidate: Candidate) -> str:
    return f"the word {flat(candidate.text).strip()!r} of {candidate.label!r}"


def _shown(tokens: Tokens, ids: Sequence[int]) -> str:
    return " ".join(tokens.words(ids))
