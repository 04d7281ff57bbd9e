"""What a tokenizer makes of label words, and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from promptkit.backends.tokens import Request, Tokens
from promptkit.types import Candidate, flat


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
        alone = tokens.encode([candidate.text])[0].ids
        if alone != ids:
            found.append(
                f"{_said(candidate)} is split otherwise after the prompt ({_shown(tokens, ids)}) "
                f"than alone ({_shown(tokens, alone)}): mind the white space before the answer"
            )
    return found


def _said(candidate: Candidate) -> str:
    return f"the word {flat(candidate.text).strip()!r} of {candidate.label!r}"


def _shown(tokens: Tokens, ids: Sequence[int]) -> str:
    return " ".join(tokens.words(ids))
