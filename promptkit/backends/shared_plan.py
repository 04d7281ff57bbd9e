"""What requests share, and what is each one's own: no token goes through the model twice. Pure.

Three things are shared. The tokens that all prompts begin with go through the model once, for all
rows. A row's prompt goes through it once, for all of its labels. And labels that begin alike share
those tokens: they are a tree, whose every inner node is computed once a row. What a row has to
itself, its tokens behind the common ones and then its labels' tree, is a segment.

A tree over the rows as well would save 3% at most on the prompts of few-shot learning, since rows
differ soon after what all of them share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from promptkit.backends.tokens import Request

Ids = tuple[int, ...]


@dataclass(frozen=True)
class Tree:
    """The inner nodes of a set of answers, each behind its parent.

    A last token is predicted and never read, unless another answer goes on behind it.

    Args:
        ids: (m,) token of each node.
        parents: (m,) place of the node before it; -1 is the end of the prompt.
        depths: (m,) 1 for the tokens right behind the prompt.
        wanted: For each answer and token: the place whose output predicts it (-1 is the end of the
            prompt), the token, and the answer; by place.
        answers: How many there are.
    """

    ids: Ids
    parents: Ids
    depths: Ids
    wanted: tuple[tuple[int, int, int], ...]
    answers: int

    @cached_property
    def ancestry(self) -> Any:
        """(m, m) whether the second node is an ancestor of the first, or the same."""
        seen = np.eye(len(self.ids), dtype=bool)
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                seen[node] |= seen[parent]
        return seen

    @cached_property
    def columns(self) -> tuple[Any, Any, Any]:
        """``wanted`` as three arrays: places, tokens, answers."""
        places, tokens, answers = np.array(self.wanted, dtype=np.int64).reshape(-1, 3).T
        return places, tokens, answers

    @cached_property
    def places(self) -> tuple[Any, Any]:
        """The places that are read, and where among them each of ``wanted`` is."""
        found: tuple[Any, Any] = np.unique(self.columns[0], return_inverse=True)
        return found


@dataclass(frozen=True)
class Segment:
    """What one request has to itself.

    Args:
        trunk: Tokens of its prompt behind the shared prefix; at least one.
        tree: Its answers.
    """

    trunk: Ids
    tree: Tree

    def __len__(self) -> int:
        return len(self.trunk) + len(self.tree.ids)

    @property
    def ids(self) -> Ids:
        """(t,) token ids, the tree's behind the trunk's."""
        return self.trunk + self.tree.ids

    @property
    def depths(self) -> list[int]:
        """(t,) how many tokens stand between the prefix and each token."""
        last = len(self.trunk) - 1
        return [*range(len(self.trunk)), *(last + depth for depth in self.tree.depths)]


@dataclass(frozen=True)
class Reads:
    """What is read from a pass over some segments, one behind the other.

    Args:
        places: (r,) tokens of the pass whose output is needed, rising.
        rows: (w,) where among the places each wanted log-probability stands, rising.
        tokens: (w,) whose log-probability it is.
        segments: The segments.
    """

    places: Any
    rows: Any
    tokens: Any
    segments: tuple[Segment, ...]

    def totals(self, log_p: Any) -> list[list[float]]:
        """The log-probability of each answer of each segment, of those (w,) of their tokens."""
        found, start = [], 0
        for segment in self.segments:
            _, _, answers = segment.tree.columns
            own = log_p[start : start + len(answers)]
            found.append(np.bincount(answers, own, segment.tree.answers).tolist())
            start += len(answers)
        return found


def reads_of(segments: Sequence[Segment]) -> Reads:
    """What is read where these segments go through the model one behind the other."""
    places, rows, tokens = [], [], []
    start = read = 0
    for segment in segments:
        which, inverse = segment.tree.places
        places.append(start + len(segment.trunk) + which)
        rows.append(read + inverse)
        tokens.append(segment.tree.columns[1])
        start, read = start + len(segment), read + len(which)
    joined = [np.concatenate(each) for each in (places, rows, tokens)]
    return Reads(joined[0], joined[1], joined[2], tuple(segments))


@dataclass(frozen=True)
class SharedPlan:
    """What has to go through the model.

    Args:
        prefix: Tokens that all requests begin with; empty where sharing them saves nothing.
        segments: One for each request, in order.
    """

    prefix: Ids
    segments: tuple[Segment, ...]

    @property
    def tokens(self) -> int:
        """Tokens that go through the model."""
        return len(self.prefix) + sum(map(len, self.segments))


def shared_plan(requests: Sequence[Request], known: Sequence[int] = ()) -> SharedPlan:
    """Find what is shared.

    Args:
        requests: Prompts and answers as token ids.
        known: A prefix whose keys and values are there already, from earlier requests. It is taken
            where all requests begin with it and a longer one would not save more than it costs.
    """
    prefix = _prefix([request.context for request in requests], tuple(known))
    trees: dict[tuple[Ids, ...], Tree] = {}
    segments = []
    for request in requests:
        if request.answers not in trees:
            trees[request.answers] = tree_of(request.answers)
        trunk = request.context[len(prefix) :]
        segments.append(Segment(trunk, trees[request.answers]))
    return SharedPlan(prefix, tuple(segments))


def tree_of(answers: Sequence[Ids]) -> Tree:
    """The tree of some answers.

    >>> tree = tree_of([(1, 2), (1, 3), (4,)])
    >>> tree.ids, tree.parents
    ((1,), (-1,))
    >>> tree.wanted
    ((-1, 1, 0), (-1, 1, 1), (-1, 4, 2), (0, 2, 0), (0, 3, 1))
    """
    places: dict[Ids, int] = {(): -1}
    parents: list[int] = []
    wanted = []
    for which, answer in enumerate(answers):
        for end in range(len(answer)):
            before = answer[:end]
            if before not in places:
                places[before] = len(parents)
                parents.append(places[before[:-1]])
            wanted.append((places[before], answer[end], which))
    inner = [before for before in places if before]
    ids, depths = tuple(before[-1] for before in inner), tuple(map(len, inner))
    wanted.sort(key=lambda one: one[0])
    return Tree(ids, tuple(parents), depths, tuple(wanted), len(answers))


def packs(
    segments: Sequence[Segment], *, tokens: int, rows: int | None, reads: int = 2**62
) -> Iterator[list[int]]:
    """Indices of the segments of each pass, of similar length, the longest first.

    Args:
        segments: What goes through the model.
        tokens: Tokens of a pass at most; a longer segment goes alone.
        rows: Segments of a pass at most; None is any number.
        reads: Positions of a pass that are read at most, each of which takes a row of logits.
    """
    pack: list[int] = []
    held = read = 0
    for index in sorted(range(len(segments)), key=lambda i: (-len(segments[i]), i)):
        size, own = len(segments[index]), len(segments[index].tree.ids) + 1
        full = held + size > tokens or len(pack) == rows or read + own > reads
        if pack and full:
            yield pack
            pack, held, read = [], 0, 0
        pack.append(index)
        held, read = held + size, read + own
    if pack:
        yield pack


def _prefix(contexts: Sequence[Ids], known: Ids) -> Ids:
    """The prefix to share: each prompt keeps at least its last token, whose output is read."""
    if not contexts:
        return ()
    first, last = min(contexts), max(contexts)  # what these two share, all that lie between do
    most = min(map(len, contexts)) - 1
    size = 0
    while size < min(most, len(first), len(last)) and first[size] == last[size]:
        size += 1
    saved = size * (len(contexts) - 1)
    if known and len(known) <= size and known == first[: len(known)]:
        longer = (size - len(known)) * (len(contexts) - 1) - size
        return first[:size] if longer > 0 else known
    return first[:size] if saved > 0 else ()
