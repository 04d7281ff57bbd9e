r"""Prompts and answers as token ids the way lm-evaluation-harness 0.4.13 makes them.

promptkit scores an answer from the first token that holds one of its characters. The harness
scores as many tokens as the whole text has more than the prompt: white space at the prompt's end
moves to the answer first, then ``tokens(prompt + answer)[len(tokens(prompt)):]`` is the answer.
Where a vocabulary joins prompt and answer, the two differ: behind ``Label:`` the answer ``:)`` may
be scored without its colon. What is too long loses tokens from the left, whatever they are.

One thing stays as it is everywhere in promptkit: text of a row becomes no control token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from promptkit.backends.tokens import Request, Tokens
from promptkit.errors import BackendError, DataError, SpecError, nearest
from promptkit.prompts.flatten import answer_text
from promptkit.prompts.peer_forms import sliced
from promptkit.types import Candidate, Prompt, Text, flat

if TYPE_CHECKING:
    from promptkit.backends.asking import Scorer

Encoding = Literal["joint", "lm_eval"]
Ids = tuple[int, ...]


class LmEvalPairs:
    """A causal scorer, its prompts and answers encoded as the harness does.

    Args:
        scorer: Scores token ids.
        tokens: Its tokenizer.
        max_tokens: Most tokens that the model reads at once.
    """

    def __init__(self, scorer: Scorer, tokens: Tokens, max_tokens: int) -> None:
        self.scorer, self.tokens, self.max_tokens = scorer, tokens, max_tokens
        #: What its numbers are.
        self.evidence = f"{scorer.evidence}, encoded as lm-evaluation-harness does"

    def seen(self, prompt: Prompt) -> Prompt:
        """See `asking.Scorer`."""
        return self.scorer.seen(prompt)

    def word(self, candidate: Candidate) -> Text:
        """See `asking.Scorer`."""
        return self.scorer.word(candidate)

    def length(self, request: Any) -> int:
        """No prompt is ever too long: tokens are cut off from the left.

        Raises:
            DataError: An answer is: its row alone goes without evidence.
        """
        longest = max(map(len, request.answers))
        if longest > self.max_tokens:
            raise DataError(
                f"an answer takes {longest} tokens, and the model reads at most {self.max_tokens}"
            )
        return 0

    def requests(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Request]:
        """The ids of each prompt, and of each of its candidates."""
        flats = [self.tokens.flat(prompt) for prompt in prompts]
        found = []
        for one, own in zip(flats, candidates, strict=True):
            answers = [answer_text(one, candidate.text) for candidate in own]
            context, blank = _without_white_space(one.text)
            pairs = self._pairs(context, [(*blank, *answer) for answer in answers])
            found.append(Request(pairs[0], pairs[1]))
        return found

    def run(self, requests: Sequence[Request]) -> list[list[float]]:
        """(n, c) log-probabilities; an answer without tokens has 0."""
        parts: list[Request] = []
        places: list[list[tuple[int, int]]] = []
        for index, request in enumerate(requests):
            whole = [i for i, answer in enumerate(request.answers) if answer]
            short = [i for i in whole if not self._over(request, i)]
            groups = [short] if short else []
            groups += [[i] for i in whole if self._over(request, i)]
            for group in groups:
                cut = self._over(request, group[0])
                answers = tuple(request.answers[i] for i in group)
                parts.append(Request(request.context[cut:], answers))
                places.append([(index, i) for i in group])
        totals = [[0.0] * len(request.answers) for request in requests]
        for own, values in zip(places, self.scorer.run(parts) if parts else (), strict=True):
            for (index, i), value in zip(own, values, strict=True):
                totals[index][i] = value
        return totals

    def _over(self, request: Request, candidate: int) -> int:
        """Tokens that a prompt with this answer is too long by; the last one is never read."""
        n = len(request.context) + len(request.answers[candidate])
        return max(0, n - (self.max_tokens + 1))

    def _pairs(self, context: Text, answers: Sequence[Text]) -> tuple[Ids, tuple[Ids, ...]]:
        if not flat(context):
            return self._behind_nothing(answers)
        before, after = self._wrapping(flat(context))
        encoded = self.tokens.encode([context, *((*context, *answer) for answer in answers)])
        first, *wholes = ((*before, *one.ids, *after) for one in encoded)
        return first, tuple(whole[len(first) :] for whole in wholes)

    def _behind_nothing(self, answers: Sequence[Text]) -> tuple[Ids, tuple[Ids, ...]]:
        """Answers behind the token that begins a text."""
        start = self.tokens.tokenizer.bos_token_id
        start = self.tokens.tokenizer.eos_token_id if start is None else start
        if start is None:
            raise BackendError("the prompt is empty, and the model has no token to start from")
        found = [one.ids for one in self.tokens.encode(answers)]
        return (int(start),), tuple(ids[1:] if ids[:1] == (start,) else ids for ids in found)

    def _wrapping(self, text: str) -> tuple[Ids, Ids]:
        """What the tokenizer puts around a text, unless it begins with that itself."""
        tokenizer = self.tokens.tokenizer
        start = tokenizer.bos_token or tokenizer.eos_token
        return ((), ()) if start and text.startswith(start) else self.tokens.wrapping


def check_encoding(encoding: str, kind: str, candidate_tokens: str) -> None:
    """Refuse what cannot be encoded so.

    Raises:
        SpecError: No such way, or none for this model.
    """
    known = get_args(Encoding)
    if encoding not in known:
        raise SpecError(
            f"option 'encoding': no such value {encoding!r}; {nearest(encoding, known)}"
        )
    if encoding == "lm_eval" and (kind != "causal" or candidate_tokens != "all"):
        raise SpecError(
            "encoding=lm_eval is for causal language models whose answers are scored whole; this "
            f"model is of kind {kind!r}"
        )


def _without_white_space(text: Text) -> tuple[Text, Text]:
    """A prompt without the white space at its end, and that white space."""
    end = len(flat(text).rstrip())
    return sliced(text, 0, end), sliced(text, end, len(flat(text)))
