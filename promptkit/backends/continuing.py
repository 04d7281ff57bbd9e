"""What a causal model is asked: the tokens of a prompt, and of each answer that goes on from it."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.backends.tokens import Request, Tokens
from promptkit.types import Candidate, Prompt, Text


class Continuing:
    """The reading half of a scorer of causal models (see `asking.Scorer`); ``run`` is its own.

    Args:
        tokens: The model's tokenizer.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens

    def seen(self, prompt: Prompt) -> Prompt:
        """The prompt as it is."""
        return prompt

    def word(self, candidate: Candidate) -> Text:
        """The answer with its leading white space."""
        return candidate.text

    def requests(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Request]:
        """See `Tokens.requests`: prompt and answer are encoded together."""
        return self.tokens.requests(prompts, candidates)

    def length(self, request: Request) -> int:
        """Tokens of the prompt with its longest answer."""
        return len(request.context) + max(map(len, request.answers))
