"""Prompts with their right answers as token ids, of which the answers alone are learned.

A model is trained on the very ids that it is asked about later: `promptkit.backends.tokens` makes
both. Masks of characters, or of a text that is encoded again, would be off by a token wherever a
tokenizer joins the end of a prompt with the beginning of its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promptkit.backends.asking import fitted
from promptkit.backends.tokens import Request, Tokens
from promptkit.errors import BackendError, DataError
from promptkit.types import Candidate, Prompt, flat

#: What a target is called that is not learned.
UNLEARNED = -100


@dataclass(frozen=True)
class Answered:
    """A prompt, and what should be answered.

    Args:
        prompt: The prompt.
        answer: The right answer.
        wrong: An answer that should not be given, where preferences are learned.
    """

    prompt: Prompt
    answer: Candidate
    wrong: Candidate | None = None

    @property
    def answers(self) -> list[Candidate]:
        """The right answer, and the wrong one if there is one."""
        return [self.answer] if self.wrong is None else [self.answer, self.wrong]


@dataclass(frozen=True)
class AnswerIds:
    """The same as token ids.

    Args:
        context: What is read.
        answer: What is learned: the answer, and the token that ends it.
        wrong: The wrong answer in the same way; empty where there is none.
    """

    context: tuple[int, ...]
    answer: tuple[int, ...]
    wrong: tuple[int, ...] = ()

    @property
    def ids(self) -> tuple[int, ...]:
        """(t,) everything that the model reads."""
        return (*self.context, *self.answer)

    @property
    def targets(self) -> tuple[int, ...]:
        """(t,) the same, `UNLEARNED` in place of what is only read."""
        return (*(UNLEARNED for _ in self.context), *self.answer)


def encoded(
    tokens: Tokens, answered: Sequence[Answered], max_tokens: int
) -> tuple[list[AnswerIds], list[str]]:
    """Token ids of each, long prompts shortened as they are when a model is asked.

    Args:
        tokens: The model's tokenizer.
        answered: What is to be learned.
        max_tokens: Most tokens that the model reads, those of the answer included.

    Returns:
        The ids, and why some are left out: instruction and answer alone are too long.

    Raises:
        BackendError: The ids that are to be learned do not spell the answer.
    """
    end = tokens.tokenizer.eos_token_id
    ending = () if end is None else (int(end),)
    prompts = [one.prompt for one in answered]
    answers = [one.answers for one in answered]
    found, problems = [], []
    wholes = tokens.requests(prompts, answers)
    room = max_tokens - len(ending)
    for one, own, whole in zip(answered, answers, wholes, strict=True):
        try:
            _, request = fitted(one.prompt, own, whole, tokens.requests, _length, room)
        except DataError as error:
            problems.append(str(error))
            continue
        for candidate, ids in zip(own, request.answers, strict=True):
            _check_spelling(tokens, ids, flat(candidate.text))
        said = [(*ids, *ending) for ids in request.answers]
        found.append(AnswerIds(request.context, *said))
    return found, problems


def _length(request: Request) -> int:
    return len(request.context) + max(map(len, request.answers))


def _check_spelling(tokens: Tokens, ids: Sequence[int], answer: str) -> None:
    """Refuse ids that say anything else than the answer: a mask that is off trains on the prompt.

    What a tokenizer makes of the answer alone is what it can spell: some normalise.
    """
    alone = tokens.tokenizer(answer, add_special_tokens=False)["input_ids"]
    said, meant = (tokens.tokenizer.decode(list(own)).strip() for own in (ids, alone))
    # the first token may bring an end of the prompt with it
    if not said.endswith(meant):
        raise BackendError(
            f"the tokens to be learned spell {said!r} in place of {answer.strip()!r}",
            hint="end the template's query with a letter, a colon or a line end",
        )
