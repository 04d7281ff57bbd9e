"""Rows and tiny models for tests of strategies that train."""

from __future__ import annotations

import atexit
import tempfile
from functools import cache
from pathlib import Path

import torch

from promptkit.strategies.reading import Reading
from promptkit.types import Example
from tests.tiny import CAUSAL, MASKED, save_causal, save_masked, save_seq2seq

LABELS = ("bad", "good")
FAMILIES = (*CAUSAL, *MASKED, "t5")
_WORDS = {"bad": ("broken", "late", "rude"), "good": ("lovely", "quick", "kind")}


def rows(n: int, labels: tuple[str, ...] = LABELS, start: int = 0) -> list[Example]:
    """Rows whose label a word gives away, at lengths that differ."""
    made = []
    for i in range(start, start + n):
        label = labels[i % len(labels)]
        word = _WORDS[LABELS[i % 2]][i // 2 % 3]
        made.append(
            Example(f"r{i}", {"text": f"The waiter was {word}" + " indeed" * (i % 4)}, label)
        )
    return made


READING = Reading(("text",))


@cache
def family(name: str) -> str:
    """The folder of a tiny model of a family, made once a session."""
    kept = tempfile.TemporaryDirectory(prefix=name)
    atexit.register(kept.cleanup)
    save = save_causal if name in CAUSAL else save_masked if name in MASKED else save_seq2seq
    return str(save(name, Path(kept.name)))


def weights(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Copies of all parameters, the frozen ones too."""
    return {name: one.detach().clone() for name, one in module.named_parameters()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether all are equal bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)
