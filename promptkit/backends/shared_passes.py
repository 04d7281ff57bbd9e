"""Requests through a causal model whose attention can be shared: each token once.

The last layer is narrowed: its keys and values are needed of every token, its output only where a
label is read. So it runs twice, first over all tokens until keys and values are there, then over
the tokens that are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import torch
from torch import nn

from promptkit.backends.hf_passes import LOGIT_BYTES, Passes, replaced
from promptkit.backends.meter import Meter
from promptkit.backends.probe import CANNOT, PROBE, SAME, SAME_IN_HALF, folded, is_half, twin_of
from promptkit.backends.shared_attention import (
    NAME,
    Captured,
    Prefix,
    Sharing,
    Unsupported,
    register,
    sharing,
)
from promptkit.backends.shared_layout import Layout
from promptkit.backends.shared_plan import Reads, Segment, packs, reads_of, shared_plan
from promptkit.backends.tokens import Request

#: Bytes of logits that the head computes at once where they are read there, and rows at least.
HEAD_BYTES = {"cpu": 16 * 2**20, "mps": 64 * 2**20, "cuda": 256 * 2**20}
MIN_ROWS = 64
#: Given in place of the logits that were read: a soft cap or a factor behind the head changes it.
UNCHANGED = 4096.0
_CANNOT = (*CANNOT, Unsupported, Captured)


class SharedPasses:
    """Scores requests with a model whose attention is `shared_attention`.

    Args:
        model: A causal language model in evaluation mode.
        passes: Budgets, and the meter.
        reading: Whether log-probabilities are read where the head computes logits, a few rows at a
            time, so that those of a large vocabulary are never held at once. A model that does
            something to its logits afterwards (soft caps) is read at its end.
    """

    def __init__(self, model: Any, passes: Passes, *, reading: bool = True) -> None:
        self.model, self.passes, self.reading = model, passes, reading
        self.forget()
        self._head = model.get_output_embeddings()
        self._vocabulary = int(self._head.weight.shape[0])
        self._layer = self._last_layer()

    def run(self, requests: Sequence[Request]) -> list[list[float]]:
        """(n, c) log-probabilities."""
        totals: list[list[float]] = [[] for _ in requests]
        plan = shared_plan(requests, self._prefix.ids)
        with attention_of(self.model, NAME):
            self._read_prefix(plan.prefix)
            for pack in self._packs(plan.segments):
                segments = [plan.segments[index] for index in pack]
                found = self.passes.halving(segments, len, self._forward)
                for index, own in zip(pack, found, strict=True):
                    totals[index] = own
        return totals

    def forget(self) -> None:
        """Drop the keys and values that are kept for rows with the same beginning."""
        self._prefix = Prefix(())

    def _packs(self, segments: Sequence[Segment]) -> Iterator[list[int]]:
        tokens, rows = self.passes.budget
        if self.reading:
            return packs(segments, tokens=tokens, rows=rows)
        reads = max(1, LOGIT_BYTES // (4 * self._vocabulary))
        return packs(segments, tokens=tokens, rows=rows, reads=reads)

    @torch.inference_mode()
    def _last_layer(self) -> nn.Module:
        """The layer that attends last; found by looking on.

        Raises:
            Unsupported: The model does not use the attention that it is set to, or uses a module
                twice.
        """
        asked: list[nn.Module] = []
        with attention_of(self.model, NAME), sharing(Prefix(()), None) as now:
            now.on_call = asked.append
            ids = torch.zeros((1, 2), dtype=torch.long, device=self.passes.device)
            self.model(input_ids=ids, use_cache=False)
        if not asked:
            raise Unsupported("its attention is its own and cannot be replaced")
        if len({id(module) for module in asked}) < len(asked):
            raise Unsupported("one module attends in several layers")
        self._last = asked[-1]
        return _layer_with(self.model, self._last)

    @torch.inference_mode()
    def _read_prefix(self, ids: tuple[int, ...]) -> None:
        """Keys and values of the shared tokens; those that are there already are kept."""
        if ids == self._prefix.ids:
            return
        self.forget()
        if not ids:
            return
        prefix = Prefix(ids)
        row = torch.tensor(ids, device=self.passes.device)[None]
        places = torch.arange(len(ids), device=self.passes.device)[None]
        with sharing(prefix, None) as now, suppress(Captured):
            now.until = self._last  # what comes behind the last keys and values is not needed
            self.model(input_ids=row, position_ids=places, use_cache=False)
        self.passes.computed(len(ids))
        self._prefix = prefix

    def _forward(self, segments: Sequence[Segment]) -> list[list[float]]:
        """The log-probability of each answer of each segment."""
        layout = Layout(segments, len(self._prefix.ids), self.passes.device, self.model.dtype)
        reads = reads_of(segments)
        places = torch.from_numpy(reads.places).to(self.passes.device)
        width = layout.ids.shape[1]
        with (
            sharing(self._prefix, layout) as now,
            _narrowed(self._layer, now, places, width),
            self._read_at_head(reads) as found,
        ):
            logits = self.model(
                input_ids=layout.ids,
                position_ids=layout.positions,
                use_cache=False,
                logits_to_keep=places,
            ).logits
        self.passes.computed(layout.ids.numel())
        if not self.reading:
            return reads.totals(self._picked(lambda part: logits[0, part], reads))
        if len(found) != 1 or not bool((logits == UNCHANGED).all()):
            raise Unsupported("its logits are not what its head gives")
        return reads.totals(found[0])

    def _picked(self, logits: Callable[[slice], Any], reads: Reads) -> Any:
        """(w,) float64 log-probabilities, a float32 softmax over a few rows at a time.

        Args:
            logits: Gives the (rows, vocabulary) logits of some of the places that are read.
            reads: What is wanted.
        """
        device = self.passes.device
        size = max(MIN_ROWS, HEAD_BYTES[device.type] // (4 * self._vocabulary))
        found = []
        for start in range(0, len(reads.places), size):
            log_p = logits(slice(start, start + size)).float().log_softmax(-1)
            first, last = np.searchsorted(reads.rows, (start, start + size))
            rows = torch.from_numpy(reads.rows[first:last] - start).to(device)
            tokens = torch.from_numpy(reads.tokens[first:last]).to(device)
            found.append(log_p[rows, tokens])
        return torch.cat(found).cpu().double().numpy()

    @contextmanager
    def _read_at_head(self, reads: Reads) -> Iterator[list[Any]]:
        """Let the head give log-probabilities to this list, and nearly nothing to the model."""
        found: list[Any] = []
        if not self.reading:
            yield found
            return
        usual, n = self._head.forward, len(reads.places)

        def forward(states: Any) -> Any:
            if states.shape[:2] != (1, n):
                raise Unsupported("its head gets other states than were asked for")
            found.append(self._picked(lambda part: usual(states[:, part])[0], reads))
            return states.new_full((1, n, 1), UNCHANGED)

        with replaced(self._head, forward):
            yield found


def shared_passes(model: Any, passes: Passes) -> tuple[SharedPasses | None, str]:
    """Shared passes for a model, or None and why it cannot have them.

    A family that never asks for the attention that its configuration names would go on computing
    something else without a word. So it is looked at who asks, and a few short prompts are compared
    with eager attention. In half precision rounding alone would hide an error, so a small float32
    model of the same configuration has to agree as well.

    Args:
        model: A causal language model in evaluation mode.
        passes: Budgets, and the meter; the comparison is not counted.
    """
    register()
    half = is_half(model)
    why = ""
    for reading in (True, False):
        if half and (why := _twin_differs(model, passes, reading)):
            continue
        made, why = _probed(model, passes, reading, SAME_IN_HALF if half else SAME)
        if made is not None:
            return made, ""
    return None, why


def _probed(
    model: Any, passes: Passes, reading: bool, bound: float
) -> tuple[SharedPasses | None, str]:
    try:
        vocabulary = int(model.get_input_embeddings().weight.shape[0])
        requests = [folded(request, vocabulary) for request in PROBE]
        quiet = Passes(passes.device, passes.batch_size, Meter(), passes.token_bytes)
        made = SharedPasses(model, quiet, reading=reading)
        found = [value for own in made.run(requests) for value in own]
    except _CANNOT as error:
        return None, f"{type(error).__name__}: {error}".splitlines()[0]
    gap = max(abs(one - other) for one, other in zip(found, eagerly(model, requests), strict=True))
    if not gap <= bound:  # nan is no agreement
        return None, f"shared attention differs by {gap:.1e} nats"
    made.passes = passes
    return made, ""


def _twin_differs(model: Any, passes: Passes, reading: bool) -> str:
    """Why a model's float32 twin cannot share; empty where it can."""
    try:
        twin = twin_of(model)
    except _CANNOT as error:
        return f"a small model like it cannot be made: {error}".splitlines()[0]
    return _probed(twin, passes, reading, SAME)[1]


@torch.inference_mode()
def eagerly(model: Any, requests: Sequence[Request]) -> list[float]:
    """Log-probability of each answer of each request, one sequence at a time."""
    found = []
    with attention_of(model, "eager"):
        for request in requests:
            for answer in request.answers:
                ids = torch.tensor([(*request.context, *answer)], device=model.device)
                log_p = model(input_ids=ids, use_cache=False).logits[0].float().log_softmax(-1)
                places = range(len(request.context) - 1, ids.shape[1] - 1)
                found.append(sum(float(log_p[at, ids[0, at + 1]]) for at in places))
    return found


@contextmanager
def attention_of(model: Any, name: str) -> Iterator[None]:
    """Let the model use the attention of that name."""
    usual = model.config._attn_implementation
    model.set_attn_implementation(name)
    try:
        yield
    finally:
        model.set_attn_implementation(usual)


def _layer_with(model: nn.Module, attention: nn.Module) -> nn.Module:
    """The layer that an attention module belongs to."""
    for lists in model.modules():
        if isinstance(lists, nn.ModuleList):
            for layer in lists:
                if any(module is attention for module in layer.modules()):
                    return layer
    raise Unsupported("its layers are in no list")


@contextmanager
def _narrowed(layer: nn.Module, now: Sharing, places: Any, width: int) -> Iterator[None]:
    """Let a layer compute its output at some places of (1, width) alone, and 0 elsewhere."""
    usual = layer.forward

    def few(value: Any) -> Any:
        if isinstance(value, tuple | list):
            return type(value)(few(one) for one in value)
        if isinstance(value, torch.Tensor) and value.dim() > 1 and value.shape[:2] == (1, width):
            return value[:, places]
        return value

    def forward(*arguments: Any, **options: Any) -> Any:
        now.capturing = True
        try:
            usual(*arguments, **options)
        except Captured:
            pass
        finally:
            now.capturing = False
        now.needed = places
        found = usual(*few(arguments), **{key: few(value) for key, value in options.items()})
        states = found[0] if isinstance(found, tuple) else found
        whole = states.new_zeros(1, width, states.shape[-1])
        whole[:, places] = states
        return (whole, *found[1:]) if isinstance(found, tuple) else whole

    with replaced(layer, forward):
        yield
