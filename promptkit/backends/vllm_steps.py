"""Which short generations give the log-probability of every label token. Pure: no engine here.

vLLM reads its prefix cache when it generates, and not when it is asked for log-probabilities of
the prompt. So a label is no part of a prompt whose log-probabilities are asked for. Each inner node
of the labels' tree is a prompt, from which a token is generated; the log-probabilities of that step
are asked for the tokens that go on from there. Labels of one token take one step.

What is cached are whole blocks: a prompt's last tokens are computed anew for each node. Therefore a
node takes one of its children along where it can, and that one a child of its own: the generated
tokens are forced to be that chain of nodes, and each step gives the log-probabilities behind it.
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
    """A few generated tokens.

    Args:
        request: Index of the request that it belongs to.
        prompt: Token ids that the engine reads.
        asked: What is asked for at each generated token.
        forced: What all generated tokens but the last one have to be.
    """

    request: int
    prompt: Ids
    asked: tuple[Children, ...]
    forced: Ids = ()

    @property
    def tokens(self) -> list[int]:
        """Tokens whose log-probabilities are asked for, at each step the same."""
        return sorted(set().union(*self.asked))


def generations(requests: Sequence[Request], most: int, longest: int = 2) -> Iterator[Generation]:
    """The generations of each request, those nearest to its prompt first.

    Args:
        requests: Prompts and answers as token ids.
        most: Tokens that one generation can be asked for; a node with more children takes several.
        longest: Tokens that one generation has at most.
    """
    plans: dict[tuple[Ids, ...], list[Generation]] = {}
    for index, request in enumerate(requests):
        if request.answers not in plans:
            plans[request.answers] = list(_of(request.answers, most, longest))
        for one in plans[request.answers]:
            yield Generation(index, request.context + one.prompt, one.asked, one.forced)


def _of(answers: Sequence[Ids], most: int, longest: int) -> Iterator[Generation]:
    """The generations behind an empty prompt."""
    known = nodes(answers)
    for chain in chains(known, most, longest):
        if len(chain) > 1:
            asked = tuple(known[path] for path in chain)
            yield Generation(0, chain[0], asked, chain[-1][len(chain[0]) :])
            continue
        children = known[chain[0]]
        tokens = list(children)
        for start in range(0, len(tokens), most):
            part = {token: children[token] for token in tokens[start : start + most]}
            yield Generation(0, chain[0], (part,))


def chains(known: dict[Ids, Children], most: int, longest: int) -> list[list[Ids]]:
    """The inner nodes in chains, each of them in one: a node, its child, a child of that one...

    From the leaves up each node joins the chain of one of its children, if there is one with room:
    in a tree no other way finds fewer chains, as long as no limit of tokens is met.

    Args:
        known: The inner nodes, parents first.
        most: Tokens that a chain can be asked for.
        longest: Nodes of a chain.
    """
    found: dict[Ids, list[Ids]] = {}
    for path in reversed(known):  # the deepest first
        heads = [found[(*path, token)] for token in known[path] if (*path, token) in found]
        free = [
            chain
            for chain in heads
            if len(chain) < longest and len(known[path].keys() | _asked(known, chain)) <= most
        ]
        # the one that asks for least leaves most room for what may come above
        chain = min(free, key=lambda one: len(_asked(known, one)), default=[])
        if chain:
            del found[chain[0]]
        found[path] = [path, *chain]
    return sorted(found.values(), key=lambda chain: len(chain[0]))


def _asked(known: dict[Ids, Children], chain: Sequence[Ids]) -> set[int]:
    return set().union(*(known[path] for path in chain))


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
