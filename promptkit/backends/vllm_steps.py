"""Which one-step generations give the log-probability of every label token. Pure: no engine here.

vLLM reads its prefix cache when it generates, and not when it is asked for log-probabilities of
the prompt. So a label is no part of a prompt whose log-probabilities are asked for. Each inner node
of the labels' tree is a prompt of its own, from which one token is generated; the log-probabilities
of that step are asked for the tokens that go on from there. Labels of one token take one step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from promptkit.backends.tokens import Request

Ids = tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """One generated token.

    Args:
        request: Index of the request that it belongs to.
        prompt: Token ids that the engine reads.
        answers: For each token whose log-probability is asked for: the answers that it is part of.
    """

    request: int
    prompt: Ids
    answers: dict[int, tuple[int, ...]]


def steps(requests: Sequence[Request], most: int) -> Iterator[Step]:
    """The steps of each request, those nearest to its prompt first.

    Args:
        requests: Prompts and answers as token ids.
        most: Tokens that one step can be asked for; a node with more children takes several.
    """
    for index, request in enumerate(requests):
        for path, children in nodes(request.answers).items():
            tokens = list(children)
            for start in range(0, len(tokens), most):
                asked = {token: tuple(children[token]) for token in tokens[start : start + most]}
                yield Step(index, request.context + path, asked)


def nodes(answers: Sequence[Ids]) -> dict[Ids, dict[int, list[int]]]:
    """The inner nodes of a tree of answers: what goes on from each, and which answers it is of.

    >>> nodes([(1, 2), (1, 3), (4,)])
    {(): {1: [0, 1], 4: [2]}, (1,): {2: [0], 3: [1]}}
    """
    found: dict[Ids, dict[int, list[int]]] = {}
    for which, answer in enumerate(answers):
        for at, token in enumerate(answer):
            found.setdefault(answer[:at], {}).setdefault(token, []).append(which)
    return dict(sorted(found.items(), key=lambda one: len(one[0])))
