"""Where the tokens of a pass stand, and who may see whom: segments behind each other, and trees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from promptkit.backends.shared_plan import Segment

#: Segments of one batch are at least this share of the longest one: padding costs a CPU more than
#: another call, and a GPU less.
ALIKE = {"cpu": 1.0, "mps": 0.8, "cuda": 0.5}


class Layout:
    """Where the tokens of a pass stand, and what each may attend to within its segment.

    Args:
        segments: The segments of the pass, one behind the other; (t,) tokens in all.
        before: Tokens of the prefix.
        device: Where the model lies.
        dtype: What the model computes in.
    """

    def __init__(self, segments: Sequence[Segment], before: int, device: Any, dtype: Any) -> None:
        self.ids = torch.tensor([i for s in segments for i in s.ids], device=device)[None]
        depths = [depth for segment in segments for depth in segment.depths]
        self.deepest = max(depths) + before
        self.positions = torch.tensor(depths, device=device)[None] + before
        self.before, self.device, self.dtype = before, device, dtype
        self.groups = self._groups(segments)
        self._windows: dict[int, tuple[Any, Any]] = {}

    def _groups(self, segments: Sequence[Segment]) -> list[Group]:
        found, start = [], 0
        for own in _alike(segments, ALIKE[self.device.type]):
            found.append(Group(own, start, self.device, self.dtype))
            start += sum(map(len, own))
        return found

    def window(self, size: int) -> Any:
        """(t, p) additive mask of the prefix where a layer sees so many tokens back, or None."""
        if self.deepest < size:
            return None
        if size not in self._windows:
            back = self.positions[0][:, None] - torch.arange(self.before, device=self.device)
            self._windows[size] = (additive(back < size, self.dtype), back < size)
        return self._windows[size]


def _alike(segments: Sequence[Segment], share: float) -> Iterator[list[Segment]]:
    """Neighbours of which each is at least this share of the first as long."""
    own: list[Segment] = []
    for segment in segments:
        if own and not len(own[0]) >= len(segment) >= share * len(own[0]):
            yield own
            own = []
        own.append(segment)
    yield own


class Group:
    """Neighbouring segments of similar length: a batch for their attention to themselves.

    Args:
        segments: The segments, none longer than the first.
        start: Where the first one begins in the pass.
        device: Where the model lies.
        dtype: What the model computes in.
    """

    def __init__(self, segments: Sequence[Segment], start: int, device: Any, dtype: Any) -> None:
        self.segments, self.device, self.dtype = segments, device, dtype
        lengths = np.array([len(segment) for segment in segments])
        self.shape = (len(segments), int(lengths[0]))
        self.tokens = slice(start, start + int(lengths.sum()))
        self.causal = all(not segment.tree.ids for segment in segments)
        self.gather: Any = None
        if lengths.min() < lengths[0]:  # what is not there reads the first token, and is left out
            there = np.arange(self.shape[1]) < lengths[:, None]
            places = start + np.cumsum(lengths)[:, None] - lengths[:, None]
            places = np.where(there, places + np.arange(self.shape[1]), places)
            self.gather = torch.from_numpy(places).to(device)
            self.scatter = torch.from_numpy(np.flatnonzero(there)).to(device)
        self._masks: dict[int | None, Any] = {}

    def batched(self, states: Any) -> Any:
        """(b, h, l, w) of (1, h, t, w); nothing is copied where all are of one length."""
        if self.gather is None:
            return states[0, :, self.tokens].unflatten(1, self.shape).transpose(0, 1)
        return states[0][:, self.gather].transpose(0, 1)

    def flat(self, states: Any) -> Any:
        """(t of the group, h, ...) of (b, h, l, ...)."""
        rows = states.transpose(1, 2).flatten(0, 1)
        return rows if self.gather is None else rows[self.scatter]

    def mask(self, window: int | None) -> Any:
        """(b, 1, l, l) additive: who may see whom; None where each sees all that stand before."""
        if window is not None and window >= self.shape[1]:
            window = None
        if window is None and self.causal:
            return None
        if window not in self._masks:
            seen = torch.zeros(self.shape[0], self.shape[1], self.shape[1], dtype=torch.bool)
            seen[:, :, 0] = True  # of what is not there; a row that sees nothing is no number
            known: dict[tuple[int, int], Any] = {}
            for row, segment in zip(seen, self.segments, strict=True):
                key = len(segment.trunk), id(segment.tree)
                if key not in known:
                    known[key] = _seen(segment, window)
                row[: len(segment), : len(segment)] = known[key]
            self._masks[window] = additive(seen.to(self.device), self.dtype)[:, None]
        return self._masks[window]


def additive(seen: Any, dtype: Any) -> Any:
    """0 where something is seen and -inf elsewhere; rows begin where kernels of a GPU want them."""
    columns = seen.shape[-1]
    held = torch.zeros((*seen.shape[:-1], -(-columns // 16) * 16), dtype=dtype, device=seen.device)
    return held[..., :columns].masked_fill_(~seen, float("-inf"))


def _seen(segment: Segment, window: int | None) -> Any:
    """(l, l) whether a token sees another: all before it in the prompt, its ancestors, itself."""
    start, size = len(segment.trunk), len(segment)
    seen = torch.ones(size, size, dtype=torch.bool).tril_()
    seen[start:, start:] = torch.from_numpy(segment.tree.ancestry)
    if window is not None:
        depths = torch.tensor(segment.depths)
        seen &= (depths[:, None] - depths) < window
    return seen
