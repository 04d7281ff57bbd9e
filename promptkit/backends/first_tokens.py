"""Labels scored by their first token alone, where that was asked for.

The usual evidence is a label's whole string (docs/decisions/0004). Other tools compare the first
tokens only, or letters that are one token each. That costs one pass for a row whatever its labels,
and it is another question: labels that begin alike, such as ``not good`` and ``not bad``, cannot be
told apart, and are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from promptkit.errors import SpecError, nearest
from promptkit.types import Candidate, Prompt, Text, flat, label_key

if TYPE_CHECKING:
    from promptkit.backends.asking import Scorer
    from promptkit.backends.tokens import Tokens

CandidateTokens = Literal["all", "first"]


class FirstTokens:
    """The same scorer, asked for the first token of each candidate.

    A candidate's tokens are those that it has behind the prompt, so that `` good`` and ``good``
    each begin with a token of their own. Where answers are encoded together with the prompt, the
    first token is the first one that holds a character of some answer.

    Args:
        scorer: Scores with a causal or a sequence-to-sequence model.
        tokens: Its tokenizer.
    """

    def __init__(self, scorer: Scorer, tokens: Tokens) -> None:
        self.scorer, self.tokens = scorer, tokens
        #: What its numbers are.
        self.evidence = f"{scorer.evidence}, first token"

    def seen(self, prompt: Prompt) -> Prompt:
        """See `asking.Scorer`."""
        return self.scorer.seen(prompt)

    def word(self, candidate: Candidate) -> Text:
        """See `asking.Scorer`."""
        return self.scorer.word(candidate)

    def requests(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Any]:
        """Token ids of each prompt, and one of each of its candidates.

        Raises:
            SpecError: Two candidates begin with the same token; names both, and the token.
        """
        found = []
        whole = self.scorer.requests(prompts, candidates)
        for request, own in zip(whole, candidates, strict=True):
            firsts = tuple(answer[:1] for answer in request.answers)
            self._check(firsts, own)
            found.append(replace(request, answers=firsts))
        return found

    def length(self, request: Any) -> int:
        """See `asking.Scorer`."""
        return self.scorer.length(request)

    def run(self, requests: Sequence[Any]) -> list[list[float]]:
        """(n, c) log-probabilities of first tokens."""
        return self.scorer.run(requests)

    def _check(self, firsts: Sequence[tuple[int, ...]], candidates: Sequence[Candidate]) -> None:
        first_of: dict[tuple[int, ...], Candidate] = {}
        for first, candidate in zip(firsts, candidates, strict=True):
            other = first_of.setdefault(first, candidate)
            if other is candidate:
                continue
            token = self.tokens.words(first)[0]
            if label_key(other.label) == label_key(candidate.label):
                one, two = flat(self.word(other)).strip(), flat(self.word(candidate)).strip()
                raise SpecError(
                    f"candidate_tokens=first: the words {one!r} and {two!r} of label "
                    f"{candidate.label!r} both begin with the token {token!r}, which would count "
                    "twice; take one of them out"
                )
            raise SpecError(
                f"candidate_tokens=first: the labels {other.label!r} and {candidate.label!r} both "
                f"begin with the token {token!r}, so that it cannot tell them apart; say one of "
                "them by another word, or leave the option out"
            )


def check_candidate_tokens(value: str) -> None:
    """Refuse what is no way of scoring a candidate.

    Raises:
        SpecError: No such value.
    """
    known = get_args(CandidateTokens)
    if value not in known:
        raise SpecError(
            f"option 'candidate_tokens': no such value {value!r}; {nearest(value, known)}"
        )


def refuse_writing(value: CandidateTokens) -> None:
    """Refuse to write where first tokens were to be scored: an answer is written whole.

    Raises:
        SpecError: They were.
    """
    if value == "first":
        raise SpecError(
            "candidate_tokens=first is for labels that are scored, and here the model writes: "
            "leave it out"
        )
