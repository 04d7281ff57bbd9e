"""A backend: a label is as likely as the words that its statements share with the row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from promptkit.backends.asking import evidence_of
from promptkit.backends.meter import Meter
from promptkit.types import Candidate, Cost, Evidence, Prompt, flat


class OverlapBackend:
    """Compares words; there is no model, and so it asks for none.

    Args:
        weight: Nats for each shared word.
    """

    name = "overlap"
    reads: Literal["text", "statements"] = "statements"

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight
        self._meter = Meter()

    @property
    def cost(self) -> Cost:
        """What has been counted so far; a word counts as a token."""
        return self._meter.cost

    def score(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Evidence]:
        """Each row by itself: nothing depends on the rows beside it."""
        with self._meter.timed():
            return [self._one(*both) for both in zip(prompts, candidates, strict=True)]

    def _one(self, prompt: Prompt, candidates: Sequence[Candidate]) -> Evidence:
        row = _words(flat(prompt.encoded) or flat(prompt.query))
        log_p = []
        for candidate in candidates:
            said = [_words(text) for text in candidate.statements or (flat(candidate.text),)]
            said += [_words(shot.encoded) for shot in prompt.shots if shot.label == candidate.label]
            shared = sum(len(row & words) / len(words | row) for words in said) / len(said)
            log_p.append(self.weight * shared)
        self._meter.add(rows=1, prompt_tokens=len(row), computed_tokens=len(row))
        return evidence_of(
            prompt,
            log_p=tuple(log_p),
            n_tokens=tuple(max(1, len(flat(one.text).split())) for one in candidates),
            n_bytes=tuple(len(flat(one.text).encode()) for one in candidates),
            kind="shared words",
        )


def _words(text: str) -> set[str]:
    return set(text.lower().split())
