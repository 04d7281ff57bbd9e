"""Requests through a causal model that attends in its own way: keys and values are kept and copied.

The way of families whose attention cannot be shared (BLOOM, MPT, GPT-J, a Falcon with ALiBi). What
all prompts begin with goes through the model once for all rows, and what is a row's own once a row.
Labels go on from copies of their row's keys and values, each as a sequence of its own: they are no
tree here. No padding stands between tokens, since some families take positions from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import isqrt
from typing import Any

import torch

from promptkit.backends.hf_passes import LOGIT_BYTES, Passes
from promptkit.backends.kept import Kept, cache_of, kept_of, row_bytes, rows_of
from promptkit.backends.plan import Pass, plan
from promptkit.backends.probe import CANNOT, PROBE, SAME, SAME_IN_HALF, folded, is_half, twin_of
from promptkit.backends.shared_passes import eagerly
from promptkit.backends.shared_plan import shared_plan
from promptkit.backends.tokens import Request

#: Bytes of copied keys and values that are held at once.
COPY_BYTES = 512 * 2**20

Ids = tuple[int, ...]
#: A log-probability that is read: row and column of the pass, token, request, candidate.
Read = tuple[int, int, int, int, int]


class CachedPasses:
    """Scores requests with any causal model that goes on from kept keys and values.

    Args:
        model: A causal language model in evaluation mode.
        passes: Budgets, and the meter.
    """

    def __init__(self, model: Any, passes: Passes) -> None:
        self.model, self.passes = model, passes
        vocabulary = int(model.get_output_embeddings().weight.shape[0])
        self._logits = max(1, LOGIT_BYTES // (4 * vocabulary))  # positions whose logits are held
        self.forget()

    def forget(self) -> None:
        """Drop the keys and values that are kept for rows with the same beginning."""
        self._ids: Ids = ()
        self._prefix: Kept = []

    def run(self, requests: Sequence[Request]) -> list[list[float]]:
        """(n, c) log-probabilities."""
        shared = shared_plan(requests, self._ids)
        self._read_prefix(shared.prefix)
        own = [
            Request(segment.trunk, request.answers)
            for segment, request in zip(shared.segments, requests, strict=True)
        ]
        rows = max(1, isqrt(self._logits))  # each row may end in a column of its own
        if self._prefix:
            rows = max(1, min(rows, COPY_BYTES // row_bytes(self._prefix)))
        return self.passes.each(own, lambda one: len(one.context), self._forward, rows)

    @torch.inference_mode()
    def _read_prefix(self, ids: Ids) -> None:
        """Keys and values of the shared tokens; those that are there already are kept."""
        if ids == self._ids:
            return
        self.forget()
        if ids:
            _, kept = self._pass([], [ids], [len(ids) - 1])
            self._ids, self._prefix = ids, kept

    def _forward(self, batch: Sequence[Request]) -> list[list[float]]:
        """The log-probability of each answer of each row."""
        totals = [[0.0] * len(request.answers) for request in batch]
        trunks = [request.context for request in batch]
        planned = plan(batch)
        ends = [len(trunk) - 1 for trunk in trunks]
        columns = sorted(set(ends))
        reads = [
            (w.request, columns.index(w.at), w.token, w.request, w.candidate)
            for one in planned
            for w in one.wanted
            if w.at == ends[w.request]
        ]
        prefix = rows_of(self._prefix, [0] * len(batch))
        logits, kept = self._pass(prefix, trunks, columns)
        self._add(logits, reads, totals)

        def length(one: Pass) -> int:
            return len(trunks[one.wanted[0].request])

        longer = sorted((one for one in planned if len(one.ids) > length(one)), key=length)
        for size, alike in groupby(longer, key=length):
            rows = rows_of(kept, range(len(batch)), len(self._ids) + size)
            for group in self._groups(list(alike), size, row_bytes(rows)):
                which = [one.wanted[0].request for one in group]
                logits, _ = self._pass(rows_of(rows, which), [one.ids[size:] for one in group])
                self._add(logits, _reads(group, size), totals)
        return totals

    def _groups(self, planned: Sequence[Pass], size: int, each: int) -> Iterator[list[Pass]]:
        """Labels that go through the model together, each beside a copy of ``each`` bytes."""
        tokens, most = self.passes.budget
        tokens = min(tokens, self._logits)
        most = min(most or 2**62, max(1, COPY_BYTES // each))
        group: list[Pass] = []
        longest = 0
        for one in planned:
            longest = max(longest, len(one.ids) - size)
            if group and (len(group) == most or longest * (len(group) + 1) > tokens):
                yield group
                group, longest = [], len(one.ids) - size
            group.append(one)
        yield group

    def _pass(
        self, before: Kept, tails: Sequence[Ids], columns: Sequence[int] | None = None
    ) -> tuple[Any, Kept]:
        """Logits of rows of tokens behind what is kept of each, and what is kept then.

        Args:
            before: Keys and values, a row for each of ``tails``; may be empty.
            tails: The tokens.
            columns: Those whose logits are needed, rising; None is all.
        """
        ids, mask = self.passes.padded(tails)
        if before:
            there = mask.new_ones(len(tails), before[0][0].shape[2])
            mask = torch.cat([there, mask], dim=1)
        found = self.model(
            input_ids=ids,
            attention_mask=mask,
            past_key_values=cache_of(before),
            use_cache=True,
            logits_to_keep=0 if columns is None else torch.tensor(columns, device=ids.device),
        )
        self.passes.computed(ids.numel())
        return found.logits, kept_of(found.past_key_values)

    def _add(self, logits: Any, reads: Sequence[Read], totals: list[list[float]]) -> None:
        values = self.passes.log_p(logits, [one[:3] for one in reads])
        for (*_, request, candidate), value in zip(reads, values, strict=True):
            totals[request][candidate] += value


def cached_passes(model: Any, passes: Passes) -> tuple[CachedPasses | None, str]:
    """Passes that go on from kept keys and values, or None and why a model cannot have them.

    A few short prompts are compared with the plain computation; in half precision, whose rounding
    would hide an error, on a small float32 model like it as well.

    Args:
        model: A causal language model in evaluation mode.
        passes: Budgets, and the meter; the comparison is not counted.
    """
    try:
        if is_half(model):
            _tried(CachedPasses(twin_of(model), passes), SAME)
        made = CachedPasses(model, passes)
        _tried(made, SAME_IN_HALF if is_half(model) else SAME)
    except CANNOT as error:
        return None, f"{type(error).__name__}: {error}".splitlines()[0]
    return made, ""


def _tried(made: CachedPasses, bound: float) -> None:
    """Compare with the plain computation.

    Raises:
        ValueError: A log-probability differs by more.
    """
    vocabulary = int(made.model.get_input_embeddings().weight.shape[0])
    requests = [folded(request, vocabulary) for request in PROBE]
    with made.passes.uncounted():
        found = [value for own in made.run(requests) for value in own]
    made.forget()
    expected = eagerly(made.model, requests)
    gap = max(abs(one - other) for one, other in zip(found, expected, strict=True))
    if not gap <= bound:  # nan is no agreement
        raise ValueError(f"kept keys and values differ by {gap:.1e} nats")


def _reads(group: Sequence[Pass], size: int) -> list[Read]:
    """What is read from labels that went through the model without their first ``size`` tokens."""
    return [
        (row, w.at - size, w.token, w.request, w.candidate)
        for row, one in enumerate(group)
        for w in one.wanted
        if w.at >= size
    ]
