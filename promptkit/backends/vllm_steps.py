"""Which short generations give the log-probability of every label token. Pure: no engine here.

vLLM reads its prefix cache when it generates, and not when it is asked for log-probabilities of
the prompt. So a label is no part of a prompt whose log-probabilities are asked for. Each inner node
of the labels' tree is a prompt, from which a token is generated; the log-probabilities of that step
are asked for the tokens that go on from there. Labels of one token take one step.

What is cached are whole blocks: a prompt's last tokens are computed anew for each node. Therefore a
node takes one of its children along where it can: the generated token is forced to be that child,
and a second step gives the log-probabilities behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from promptkit.backends.tokens import Request

Ids = tuple[int, ...]
#: For each token whose log-probability is asked for: the answers that it is part of.
Children = dict[int, tuple[int, ...]]


@dataclass(frozen=True)
class Generation:
    """One or two generated tokens.

    Args:
        request: Index of the request that it belongs to.
        prompt: Token ids that the engine reads.
        asked: What is asked for at each generated token.
        forced: The first generated token, where there are two.
    """

    request: int
    prompt: Ids
    asked: tuple[Children, ...]
    forced: int | None = None

    @property
    def tokens(self) -> list[int]:
        """Tokens whose log-probabilities are asked for, at each step the same."""
        return sorted(set().union(*self.asked))


def generations(requests: Sequence[Request], most: int) -> Iterator[Generation]:
    """The generations of each request, those nearest to its prompt first.

    Args:
        requests: Prompts and answers as token ids.
        most: Tokens that one generation can be asked for; a node with more children takes several.
    """
    plans: dict[tuple[Ids, ...], list[Generation]] = {}
    for index, request in enumerate(requests):
        if request.answers not in plans:
            plans[request.answers] = list(_of(request.answers, most))
        for one in plans[request.answers]:
            yield Generation(index, request.context + one.prompt, one.asked, one.forced)


def _of(answers: Sequence[Ids], most: int) -> Iterator[Generation]:
    """The generations behind an empty prompt."""
    known = nodes(answers)
    child_of = pairs(known, most)
    taken = {(*path, token) for path, token in child_of.items()}
    for path, children in known.items():
        if path in taken:
            continue
        if path in child_of:
            token = child_of[path]
            yield Generation(0, path, (children, known[(*path, token)]), token)
            continue
        tokens = list(children)
        for start in range(0, len(tokens), most):
            part = {token: children[token] for token in tokens[start : start + most]}
            yield Generation(0, path, (part,))


def pairs(known: dict[Ids, Children], most: int) -> dict[Ids, int]:
    """Nodes that take a child along, and which; no node twice, and as many as can be.

    From the leaves up each node joins its parent if that is free: in a tree no other way finds
    more pairs.

    Args:
        known: The inner nodes.
        most: Tokens that a pair can be asked for.
    """
    found: dict[Ids, int] = {}
    taken: set[Ids] = set()
    for path in reversed(known):  # the deepest first
        if not path or path in taken or path[:-1] in taken:
            continue
        if len(known[path].keys() | known[path[:-1]].keys()) <= most:
            found[path[:-1]] = path[-1]
            taken |= {path, path[:-1]}
    return found


def nodes(answers: Sequence[Ids]) -> dict[Ids, Children]:
    """The inner nodes of a tree of answers, parents first, and what goes on from each.

    >>> nodes([(1, 2), (1, 3), (4,)])
    {(): {1: (0, 1), 4: (2,)}, (1,): {2: (0,), 3: (1,)}}
    """
    found: dict[Ids, Children] = {}
    for which, answer in enumerate(answers):
        for at, token in enumerate(answer):
            children = found.setdefault(answer[:at], {})
            children[token] = (*children.get(token, ()), which)
    return dict(sorted(found.items(), key=lambda one: len(one[0])))
