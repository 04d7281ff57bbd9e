"""From prompts and candidates to evidence: fits each prompt into the model, asks, writes down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Protocol

from promptkit.backends.first_tokens import CandidateTokens, FirstTokens
from promptkit.backends.meter import Meter
from promptkit.backends.tokens import Tokens
from promptkit.errors import DataError
from promptkit.prompts.budget import fit
from promptkit.types import Candidate, Evidence, Prompt, Text, flat


class Scorer(Protocol):
    """Scores with a model of one kind.

    A request is the scorer's own; it has ``context`` (ids that the model reads of a row) and
    ``answers`` (ids that are scored, a tuple for each candidate).

    Attributes:
        evidence: What its numbers are.
        tokens: The model's tokenizer.
    """

    evidence: str
    tokens: Tokens

    def seen(self, prompt: Prompt) -> Prompt:
        """The prompt as the model sees it."""
        ...

    def word(self, candidate: Candidate) -> Text:
        """What is scored of a candidate."""
        ...

    def requests(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Any]:
        """Token ids of each prompt and its candidates."""
        ...

    def length(self, request: Any) -> int:
        """Tokens that the model must have room for."""
        ...

    def run(self, requests: Sequence[Any]) -> list[list[float]]:
        """(n, c) log-probabilities."""
        ...


class Asking:
    """Asks a scorer about rows, long ones shortened.

    Args:
        scorer: The scorer.
        max_tokens: Most tokens that its model reads at once.
        meter: Counts rows, prompt tokens and seconds.
        candidate_tokens: ``first`` scores each candidate by its first token alone.
    """

    def __init__(
        self,
        scorer: Scorer,
        max_tokens: int,
        meter: Meter,
        candidate_tokens: CandidateTokens = "all",
    ) -> None:
        first = candidate_tokens == "first"
        self.scorer: Scorer = FirstTokens(scorer, scorer.tokens) if first else scorer
        self.max_tokens, self.meter = max_tokens, meter
        self.candidate_tokens = candidate_tokens
        self._read: dict[int, _Read] = {}

    def score(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Evidence]:
        """See `promptkit.protocols.Backend.score`."""
        with self.meter.timed():
            asked = self.asked(prompts, candidates)
            requests = [ask.request for ask in asked if ask.request is not None]
            scores = iter(self.scorer.run(requests))
            evidence = []
            for ask, own in zip(asked, candidates, strict=True):
                scored = ask.request is not None
                evidence.append(self._evidence(ask, own, next(scores) if scored else []))
        self.meter.add(
            rows=len(prompts), prompt_tokens=sum(len(request.context) for request in requests)
        )
        return evidence

    def asked(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Asked]:
        """What the model is asked of each row, long ones shortened."""
        seen, whole = self._whole(prompts, candidates)
        return [self._ask(*one) for one in zip(seen, candidates, whole, strict=True)]

    def token_ids(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[tuple[Any, ...]]:
        """See `promptkit.protocols.TellsTokens`; prompts that will be shortened are whole here.

        They are remembered for the next call of `score`, which need not encode them again.
        """
        self._read = {}
        rows = list(zip(prompts, candidates, *self._whole(prompts, candidates), strict=True))
        self._read = {id(prompt): _Read(prompt, *rest) for prompt, *rest in rows}
        return [astuple(request) for *_, request in rows]

    def _whole(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> tuple[list[Prompt], list[Any]]:
        """Prompts as the model sees them, and what it would be asked if there were no limit."""
        read, self._read = self._read, {}
        known = [read.get(id(prompt)) for prompt in prompts]
        found = [
            one for one, own in zip(known, candidates, strict=True)
            if one is not None and one.candidates is own
        ]  # fmt: skip
        if len(found) == len(prompts):
            return [one.seen for one in found], [one.request for one in found]
        seen = [self.scorer.seen(prompt) for prompt in prompts]
        return seen, self.scorer.requests(seen, candidates)

    def _ask(self, prompt: Prompt, candidates: Sequence[Candidate], whole: Any) -> Asked:
        """Token ids for a row, its prompt shortened when it is too long for the model."""
        scorer = self.scorer
        try:
            return Asked(*fitted(prompt, candidates, whole, scorer.requests, scorer.length,
                                  self.max_tokens))  # fmt: skip
        except DataError as error:
            return Asked(prompt, None, str(error))

    def _evidence(
        self, asked: Asked, candidates: Sequence[Candidate], log_p: Sequence[float]
    ) -> Evidence:
        request = asked.request
        # a first token is not the word's bytes: then none are told, so that nothing divides by them
        spelled = request is not None and self.candidate_tokens == "all"
        words = [flat(self.scorer.word(candidate)) for candidate in candidates]
        return evidence_of(
            asked.prompt,
            log_p=tuple(log_p),
            n_tokens=tuple(len(a) for a in request.answers) if request else (),
            n_bytes=tuple(len(word.encode()) for word in words) if spelled else (),
            kind=self.scorer.evidence,
            problem=asked.problem,
        )


def fitted(
    prompt: Prompt,
    candidates: Sequence[Candidate],
    whole: Any,
    requests: Callable[[Sequence[Prompt], Sequence[Sequence[Candidate]]], Sequence[Any]],
    length: Callable[[Any], int],
    max_tokens: int,
) -> tuple[Prompt, Any]:
    """A prompt and its request, shortened where the model does not read as much.

    Args:
        prompt: The prompt.
        candidates: Its candidates.
        whole: Its request as it is.
        requests: Makes requests of prompts.
        length: Tokens of a request.
        max_tokens: Most tokens that the model reads.

    Raises:
        DataError: It cannot be made to fit.
    """
    if length(whole) <= max_tokens:
        return prompt, whole
    widest = [candidates[max(range(len(candidates)), key=lambda i: len(whole.answers[i]))]]
    keep = {flat(candidate.text).strip() for candidate in candidates}
    prompt = fit(prompt, lambda p: length(requests([p], [widest])[0]) + 1, max_tokens, keep)
    return prompt, requests([prompt], [candidates])[0]


def evidence_of(prompt: Prompt, **found: Any) -> Evidence:
    """Evidence about a prompt: its row, its demonstrations and what was left out of it."""
    return Evidence(
        example_id=prompt.example_id,
        shots=tuple(shot.example_id for shot in prompt.shots),
        dropped_shots=prompt.dropped_shots,
        cut_chars=prompt.cut_chars,
        **found,
    )


@dataclass(frozen=True)
class _Read:
    """A row that was encoded; it is held so that its id names no other prompt."""

    prompt: Prompt
    candidates: Sequence[Candidate]
    seen: Prompt
    request: Any


@dataclass(frozen=True)
class Asked:
    """What became of a row's prompt.

    Args:
        prompt: The prompt, perhaps shortened.
        request: Its token ids; None where it cannot be made to fit.
        problem: Why.
    """

    prompt: Prompt
    request: Any | None
    problem: str = ""
