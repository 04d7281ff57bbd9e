"""Attention over one shared copy of a prefix, and over each segment's own tokens.

Transformers lets an attention function be registered by name, and most families call whatever
their configuration names. So no model is written anew: the model computes queries, keys and values
as ever, and this function decides what attends to what. In the first pass, over the prefix, it
keeps each layer's keys and values. In the later ones the segments of a batch stand behind each
other in one long row, without any padding in the model's matrix products, and each token attends to
the prefix, to its own segment's prompt and to its ancestors in the tree of labels. Attention over
the prefix and over the segment are computed apart and merged by their normalisers (as in flash
attention: Dao et al. 2022), so that the prefix is never copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface

from promptkit.backends.shared_layout import Layout, additive

#: What a model's configuration calls it.
NAME = "promptkit_shared"
#: Bytes of scores that are written out at once, where no kernel does without.
SCORE_BYTES = 256 * 2**20
#: Arguments that attention functions are given and that change nothing here.
_HARMLESS = frozenset(
    "attention_mask cache_position dropout is_causal layer_head_mask head_mask output_attentions "
    "position_ids position_embeddings use_cache past_key_values output_hidden_states".split()
)


class Unsupported(Exception):
    """A model asks for something that this attention does not do."""


class Captured(Exception):
    """Keys and values of a layer are there; what else it would compute is not needed."""


@dataclass
class Prefix:
    """The keys and values of the shared tokens, a pair for each layer.

    Args:
        ids: The tokens.
        layers: (1, heads, p, width) keys and values by the layer that asks.
    """

    ids: tuple[int, ...]
    layers: dict[int, tuple[Any, Any]] = field(default_factory=dict)


class Sharing:
    """What the attention function does in the pass that is going on.

    Args:
        prefix: Keys and values; filled where ``layout`` is None.
        layout: The pass's segments; None for the pass over the prefix itself.
    """

    def __init__(self, prefix: Prefix, layout: Layout | None) -> None:
        self.prefix, self.layout = prefix, layout
        #: Told of every module that attends; and the one with which the pass may end.
        self.on_call: Callable[[Any], None] = lambda module: None
        self.until: Any = None
        #: The last layer's keys and values, and the places whose output is needed.
        self.capturing: bool = False
        self.captured: tuple[Any, Any] | None = None
        self.needed: Any = None

    def __call__(self, module: Any, query: Any, key: Any, value: Any, **options: Any) -> Any:
        """(1, t, heads, width) of (1, heads, t, width) queries."""
        _check(options)
        self.on_call(module)
        scale = options.get("scaling")
        scale = query.shape[-1] ** -0.5 if scale is None else float(scale)
        how = _How(scale, options.get("softcap"), _window(module, options), options.get("s_aux"))
        if self.layout is None:
            self.prefix.layers[id(module)] = (key, value)
            if module is self.until:
                raise Captured
            return _causal(query, key, value, how).transpose(1, 2)
        if self.capturing:
            self.captured = key, value
            raise Captured
        if self.captured is not None:
            key, value = self.captured
        return self._merged(id(module), query, key, value, how).transpose(1, 2)

    def _merged(self, layer: int, query: Any, key: Any, value: Any, how: _How) -> Any:
        assert self.layout is not None
        if self.needed is not None:
            whole = query.new_zeros(1, query.shape[1], self.layout.ids.shape[1], query.shape[3])
            whole[:, :, self.needed] = query
            query = whole
        out, normaliser = _within(self.layout, query, key, value, how)
        if self.prefix.ids:
            out, normaliser = self._with_prefix(layer, query, out, normaliser, how)
        out = _drained(out, normaliser, how)
        return out if self.needed is None else out[:, :, self.needed]

    def _with_prefix(
        self, layer: int, query: Any, out: Any, normaliser: Any, how: _How
    ) -> tuple[Any, Any]:
        assert self.layout is not None
        before, seen = None, None
        if how.window is not None:
            masked = self.layout.window(how.window)
            before, seen = masked if masked is not None else (None, None)
        prefix_out, prefix_normaliser = _attend(query, *self.prefix.layers[layer], before, how)
        if seen is not None:
            nothing = ~seen.any(1)
            prefix_normaliser = prefix_normaliser.masked_fill(nothing, float("-inf"))
        share = torch.sigmoid(prefix_normaliser - normaliser)[..., None]
        both = torch.lerp(out.to(share.dtype), prefix_out.to(share.dtype), share).to(out.dtype)
        return both, torch.logaddexp(normaliser, prefix_normaliser)


@dataclass(frozen=True)
class _How:
    """What a layer asks of attention; a sink is a score of each head that leads to nothing."""

    scale: float
    softcap: float | None
    window: int | None
    sinks: Any = None


_NOW: list[Sharing] = []


@contextmanager
def sharing(prefix: Prefix, layout: Layout | None) -> Iterator[Sharing]:
    """Make the registered function work for one pass."""
    _NOW.append(Sharing(prefix, layout))
    try:
        yield _NOW[-1]
    finally:
        _NOW.pop()


def register() -> None:
    """Make the name known to transformers; the mask that goes with it is none."""
    AttentionInterface.register(NAME, _attention)
    AttentionMaskInterface.register(NAME, lambda *_, **__: None)


def _attention(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any = None, **options: Any
) -> tuple[Any, None]:
    if not _NOW:
        raise Unsupported("called outside of a pass")
    return _NOW[-1](module, query, key, value, **options), None


def _check(options: dict[str, Any]) -> None:
    for name, value in options.items():
        if name in ("scaling", "softcap", "sliding_window", "s_aux") or name in _HARMLESS:
            continue
        if value is not None and value is not False:
            raise Unsupported(f"its attention takes {name!r}")


def _window(module: Any, options: dict[str, Any]) -> int | None:
    found = options.get("sliding_window", getattr(module, "sliding_window", None))
    return int(found) if found else None


def _causal(query: Any, key: Any, value: Any, how: _How) -> Any:
    """Attention of the prefix to itself."""
    size, window = query.shape[2], how.window
    if window is not None and window >= size:
        window = None
    if how.sinks is not None and window is None:
        return _drained(*_attend(query, key, value, None, how, causal=True), how)
    if how.softcap is None and window is None:
        return torch.nn.functional.scaled_dot_product_attention(
            query, key, value, is_causal=True, scale=how.scale, enable_gqa=True
        )
    places = torch.arange(size, device=query.device)
    back = places[:, None] - places
    seen = (back >= 0) & (back < (window or size))
    return _drained(*_attend(query, key, value, additive(seen, query.dtype), how), how)


def _drained(out: Any, normaliser: Any, how: _How) -> Any:
    """Attention after the sinks have had their share."""
    if how.sinks is None:
        return out
    kept = torch.sigmoid(normaliser - how.sinks.float()[None, :, None])
    return (out * kept[..., None]).to(out.dtype)


def _within(layout: Layout, query: Any, key: Any, value: Any, how: _How) -> tuple[Any, Any]:
    """(1, h, t, w) attention of segments to themselves, and (1, h, t) its normalisers."""
    found = []
    for group in layout.groups:
        q, k, v = (group.batched(one) for one in (query, key, value))
        mask = group.mask(how.window)
        out, sums = _attend(q, k, v, mask, how, causal=mask is None)
        found.append((group.flat(out), group.flat(sums)))
    outs, normalisers = zip(*found, strict=True)
    return torch.cat(outs)[None].transpose(1, 2), torch.cat(normalisers)[None].transpose(1, 2)


def _attend(
    query: Any, key: Any, value: Any, mask: Any, how: _How, causal: bool = False
) -> tuple[Any, Any]:
    """(b, h, l, w) attention, and (b, h, l) the logarithm of its normaliser in float32."""
    if mask is not None and mask.dim() == 2:
        mask = mask[None, None]
    if query.device.type == "cpu" and how.softcap is None:
        found: tuple[Any, Any] = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            query, key, value, 0.0, causal, attn_mask=mask, scale=how.scale
        )
        return found
    if query.device.type == "cuda" and how.softcap is None:
        return _on_cuda(query, key, value, mask, how.scale, causal)
    return _written_out(query, key, value, mask, how, causal)


def _on_cuda(
    query: Any, key: Any, value: Any, mask: Any, scale: float, causal: bool
) -> tuple[Any, Any]:
    """`_attend` with the kernel that knows every dtype, masks and normalisers."""
    rows, heads, length, width = query.shape
    groups = heads // key.shape[1]
    folded = groups > 1 and mask is None and not causal
    if folded:  # heads that share keys are further queries to them
        query = query.reshape(rows, key.shape[1], groups * length, width)
    elif groups > 1:
        key, value = (one.repeat_interleave(groups, dim=1) for one in (key, value))
    bias = None if mask is None else mask.expand(rows, heads, -1, -1)
    out, normaliser, _, _ = torch.ops.aten._scaled_dot_product_efficient_attention(
        query, key, value, bias, True, 0.0, causal, scale=scale
    )
    normaliser = normaliser[..., : query.shape[2]]
    if folded:
        out, normaliser = (
            out.reshape(rows, heads, length, width),
            normaliser.reshape(rows, heads, length),
        )
    return out, normaliser


def _written_out(
    query: Any, key: Any, value: Any, mask: Any, how: _How, causal: bool
) -> tuple[Any, Any]:
    """`_attend` where no kernel does it: a few queries at a time."""
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = (one.repeat_interleave(groups, dim=1) for one in (key, value))
    rows, heads, length = query.shape[:3]
    each = max(1, SCORE_BYTES // (4 * rows * heads * key.shape[2]))
    parts = [
        _some(query, key, value, mask, how, causal, slice(start, start + each))
        for start in range(0, length, each)
    ]
    outs, normalisers = zip(*parts, strict=True)
    return torch.cat(outs, dim=2), torch.cat(normalisers, dim=2)


def _some(
    query: Any, key: Any, value: Any, mask: Any, how: _How, causal: bool, which: slice
) -> tuple[Any, Any]:
    """`_written_out` for some of the queries."""
    scores = (query[:, :, which] @ key.transpose(-1, -2)).float() * how.scale
    if how.softcap is not None:
        scores = how.softcap * torch.tanh(scores / how.softcap)
    if causal:
        size = key.shape[2]
        ahead = torch.ones(size, size, dtype=torch.bool, device=scores.device).triu(1)[which]
        scores = scores.masked_fill(ahead, float("-inf"))
    if mask is not None:
        scores = scores + mask[:, :, which]
    normaliser = scores.logsumexp(-1)
    shares = torch.exp(scores - normaliser[..., None].clamp(min=torch.finfo(torch.float32).min))
    return shares.to(value.dtype) @ value, normaliser
