"""Rows scored by P(text | label): one prompt for each label, whose answer is the row's text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from promptkit.errors import CapabilityError
from promptkit.prompts.channel import channel_prompts
from promptkit.prompts.template import Template
from promptkit.protocols import Backend
from promptkit.types import Candidate, Evidence, Example


def ask_channel(
    backend: Backend,
    template: Template,
    examples: Sequence[Example],
    shots: Sequence[Sequence[Example]],
) -> list[Evidence]:
    """Evidence of a row's labels, gathered from as many prompts; a row each, in order.

    A row is unscored where one of its prompts is: its labels could not be compared.

    Raises:
        CapabilityError: The backend compares statements, or gives bare decisions.
    """
    if backend.reads != "text":
        raise CapabilityError(
            f"channel scoring needs a language model that scores texts, and backend "
            f"{backend.name!r} compares statements; use another --model, or --calibration batch"
        )
    asked = [channel_prompts(template, row, own) for row, own in zip(examples, shots, strict=True)]
    flat = [pair for own in asked for pair in own]
    found = backend.score([prompt for prompt, _ in flat], [(one,) for _, one in flat])
    told, start = [], 0
    for own in asked:
        told.append(_together(found[start : start + len(own)]))
        start += len(own)
    return told


def channel_candidates(template: Template, example: Example) -> list[Candidate]:
    """What each value of such evidence stands for."""
    return [candidate for _, candidate in channel_prompts(template, example)]


def _together(parts: Sequence[Evidence]) -> Evidence:
    first = parts[0]
    if any(part.decided for part in parts):
        raise CapabilityError(
            "channel scoring needs log-probabilities, and the backend gives bare decisions; use "
            "--calibration none"
        )
    problem = next((part.problem for part in parts if part.problem), "")
    if problem:
        return Evidence(first.example_id, (), kind=first.kind, problem=problem)
    return replace(
        first,
        log_p=tuple(part.log_p[0] for part in parts),
        n_tokens=tuple(n for part in parts for n in part.n_tokens),
        n_bytes=tuple(n for part in parts for n in part.n_bytes),
        dropped_shots=max(part.dropped_shots for part in parts),
        cut_chars=max(part.cut_chars for part in parts),
    )
