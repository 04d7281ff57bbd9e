"""A backend without a model: the same answers every time, for tests and ``--dry-run``.

Its scores come from a hash of what a model would read, so that a changed prompt, a lost
demonstration or a swapped candidate changes them; they say nothing about the task.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from promptkit.backends.asking import evidence_of
from promptkit.backends.meter import Meter
from promptkit.errors import DataError
from promptkit.prompts.budget import fit
from promptkit.prompts.flatten import flatten
from promptkit.protocols import OnEvidence, unheard
from promptkit.types import Candidate, Cost, Evidence, Generation, Prompt, Sampling, flat

WIDTH = 64


class FakeBackend:
    """Scores candidates by a hash.

    Args:
        model: A name, which enters the hash.
        max_words: Words (split at white space) that it reads, to try what happens to long prompts.
    """

    name = "fake"
    reads: Literal["text", "statements"] = "text"

    def __init__(self, model: str = "fake", max_words: int = 100_000) -> None:
        self.model, self.max_words = model, max_words
        self._meter = Meter()

    @property
    def cost(self) -> Cost:
        """What has been counted so far; a word counts as a token."""
        return self._meter.cost

    def score(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Evidence]:
        """See `promptkit.protocols.Backend.score`."""
        with self._meter.timed():
            return [self._score(p, c) for p, c in zip(prompts, candidates, strict=True)]

    def generate(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        choices: Sequence[Sequence[Candidate]] | None = None,
        on_evidence: OnEvidence = unheard,
    ) -> list[Evidence]:
        """A choice by its hash, else the answer of a demonstration, else a word that means nothing.

        See `promptkit.protocols.CanGenerate`.
        """
        found = []
        with self._meter.timed():
            for place, whole in enumerate(prompts):
                own = choices[place] if choices else ()
                prompt, problem = self._fitted(whole, own, 1)
                known = [flat(one.text) for one in own] or [flat(s.answer) for s in prompt.shots]
                texts = [
                    self._written(prompt, known or [" fake"], n)
                    for n in range(0 if problem else sampling.samples)
                ]
                found.append(
                    evidence_of(
                        prompt,
                        log_p=(),
                        kind="hash",
                        problem=problem,
                        generations=tuple(Generation(text, "stop", 1) for text in texts),
                    )
                )
                on_evidence(place, found[-1])
                words = _words(prompt)
                self._meter.add(
                    rows=1, prompt_tokens=words, computed_tokens=words, new_tokens=len(texts)
                )
        return found

    def _written(self, prompt: Prompt, known: Sequence[str], sample: int) -> str:
        read = f"{_read(prompt)}\0{sample}"
        return min(known, key=lambda word: self._number(read + word))

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, w) unit vectors of hashed character trigrams: like texts lie near each other."""
        vectors = np.zeros((len(texts), WIDTH), np.float32)
        for row, text in enumerate(texts):
            padded = f"  {text.lower()} "
            for start in range(len(padded) - 2):
                digest = hashlib.sha256(padded[start : start + 3].encode()).digest()
                vectors[row, digest[0] % WIDTH] += 1.0
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def _score(self, prompt: Prompt, candidates: Sequence[Candidate]) -> Evidence:
        longest = max(len(flat(candidate.text).split()) for candidate in candidates)
        prompt, problem = self._fitted(prompt, candidates, longest)
        read = _read(prompt)
        log_p = tuple(self._number(read + flat(one.text)) for one in candidates)
        words = _words(prompt)
        self._meter.add(
            rows=1, prompt_tokens=words, computed_tokens=words + sum(_length(c) for c in candidates)
        )
        return Evidence(
            example_id=prompt.example_id,
            log_p=() if problem else log_p,
            n_tokens=() if problem else tuple(_length(one) for one in candidates),
            n_bytes=() if problem else tuple(len(flat(one.text).encode()) for one in candidates),
            kind="hash",
            shots=tuple(shot.example_id for shot in prompt.shots),
            dropped_shots=prompt.dropped_shots,
            cut_chars=prompt.cut_chars,
            problem=problem,
        )

    def _fitted(
        self, prompt: Prompt, candidates: Sequence[Candidate], room: int
    ) -> tuple[Prompt, str]:
        """The prompt, shortened until it leaves so much room, and why it cannot be."""
        keep = {flat(candidate.text).strip() for candidate in candidates}
        try:
            return fit(prompt, lambda p: _words(p) + room, self.max_words, keep), ""
        except DataError as error:
            return prompt, str(error)

    def _number(self, text: str) -> float:
        digest = hashlib.sha256(f"{self.model}\0{text}".encode()).digest()
        return -5.0 * int.from_bytes(digest[:8], "big") / 2**64


def _read(prompt: Prompt) -> str:
    """All that a model would read; there is no chat template, so a chat is one text as well."""
    return flat(flatten(replace(prompt, chat=False)).text)


def _words(prompt: Prompt) -> int:
    return len(_read(prompt).split())


def _length(candidate: Candidate) -> int:
    return max(1, len(flat(candidate.text).split()))
