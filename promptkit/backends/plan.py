"""Which token sequences have to go through a model, and in which batches. Pure: no model here.

The plain plan: a sequence for each distinct continuation of a prompt. Labels of one token share
the prompt's own sequence, and a sequence that another one begins with needs no pass of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from promptkit.backends.tokens import Request


@dataclass(frozen=True)
class Wanted:
    """The log-probability of ``token`` after position ``at`` of a sequence.

    Args:
        at: Position whose output predicts the token.
        token: The token.
        request: Index of the request that asks for it.
        candidate: Index of the candidate that it belongs to.
    """

    at: int
    token: int
    request: int
    candidate: int


@dataclass(frozen=True)
class Pass:
    """Token ids for one pass, and what is read from it."""

    ids: tuple[int, ...]
    wanted: tuple[Wanted, ...]


def plan(requests: Sequence[Request]) -> list[Pass]:
    """The sequences that cover every token of every candidate exactly once."""
    planned = []
    for index, request in enumerate(requests):
        inputs = _covering({answer[:-1] for answer in request.answers})
        wanted: dict[tuple[int, ...], list[Wanted]] = {tail: [] for tail in inputs}
        before = len(request.context) - 1
        for candidate, answer in enumerate(request.answers):
            tail = next(t for t in inputs if t[: len(answer) - 1] == answer[:-1])
            wanted[tail] += [
                Wanted(before + offset, token, index, candidate)
                for offset, token in enumerate(answer)
            ]
        planned += [Pass((*request.context, *t), tuple(wanted[t])) for t in inputs]
    return planned


def _covering(tails: set[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The tails that are no beginning of another one."""
    ordered = sorted(tails)
    following: list[tuple[int, ...] | None] = [*ordered[1:], None]
    return [
        tail
        for tail, after in zip(ordered, following, strict=True)
        if after is None or after[: len(tail)] != tail
    ]


def batches(lengths: Sequence[int], *, tokens: int, rows: int | None = None) -> Iterator[list[int]]:
    """Indices in batches of similar length, longest first, so that memory fails early or never.

    Args:
        lengths: Tokens of each sequence.
        tokens: Positions of a batch, padding included; a longer sequence goes alone.
        rows: Sequences of a batch at most.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        widest = lengths[batch[0]] if batch else lengths[index]
        if batch and ((len(batch) + 1) * widest > tokens or len(batch) == rows):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
