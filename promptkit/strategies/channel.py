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
    found = _asked(backend, template, examples, shots)
    # no label may see more demonstrations than another: the longest label's prompt decides
    most = [max(part.dropped_shots for part in parts) for parts in found]
    uneven = [
        place
        for place, parts in enumerate(found)
        if any(part.dropped_shots != most[place] for part in parts)
    ]
    if uneven:
        fewer = [shots[place][most[place] :] for place in uneven]
        again = _asked(backend, template, [examples[place] for place in uneven], fewer)
        for place, parts in zip(uneven, again, strict=True):
            found[place] = [replace(x, dropped_shots=x.dropped_shots + most[place]) for x in parts]
    return [_together(parts) for parts in found]


def _asked(
    backend: Backend,
    template: Template,
    examples: Sequence[Example],
    shots: Sequence[Sequence[Example]],
) -> list[list[Evidence]]:
    """For each row the evidence of each of its labels."""
    asked = [channel_prompts(template, row, own) for row, own in zip(examples, shots, strict=True)]
    pairs = [pair for own in asked for pair in own]
    scored = iter(backend.score([prompt for prompt, _ in pairs], [(one,) for _, one in pairs]))
    return [[next(scored) for _ in own] for own in asked]


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
