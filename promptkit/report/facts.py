"""What was run, read out of a record for headings and columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promptkit.types import RunRecord

#: Digits of a fingerprint that tables show; commands take any beginning that is unique.
SHOWN_DIGITS = 8


@dataclass(frozen=True)
class Facts:
    """A run in words.

    Args:
        fingerprint: All sixteen digits.
        template: Name of the template.
        model: Name of the model; that of the backend if it serves no other.
        backend: Name of the backend.
        data: Name of the data set.
        split: Its split, or empty.
        n: Rows.
        shots: Demonstrations asked for, None where the strategy has none to ask for.
        selector: What chose them, or empty.
        strategy: Name of the strategy, and the options that were asked for.
        n_train: Rows that were learned from; None where a strategy only asks.
        seed: Seed of the run.
        evidence: What the predictions rest on, such as ``cosine``.
        writing: How a model that writes does so, such as ``greedy, read by exact``, or how several
            prompts are put together; else empty.
    """

    fingerprint: str
    template: str
    model: str
    backend: str
    data: str
    split: str
    n: int
    shots: int | None
    selector: str
    strategy: str
    seed: int
    evidence: str
    n_train: int | None = None
    writing: str = ""

    @property
    def served(self) -> str:
        """The model and what serves it, such as ``minilm (embedding)``."""
        return (
            self.model if self.backend in ("none", self.model) else f"{self.model} ({self.backend})"
        )

    @property
    def is_prompted(self) -> bool:
        """Whether a template puts the rows to a model."""
        return self.template != "none"

    @property
    def how(self) -> str:
        """What `prompting` is about."""
        return "prompts" if self.shots is not None else "strategy"

    @property
    def data_and_split(self) -> str:
        """Such as ``reviews test``."""
        return f"{self.data} {self.split}".strip()

    @property
    def prompting(self) -> str:
        """Such as ``8 demonstrations by nearest, seed 3``, ``zero-shot``, or the strategy."""
        if self.shots is None:
            learned = "" if self.n_train is None else f", {self.n_train:,} training rows"
            return (self.strategy or "unknown") + learned
        written = f", {self.writing}" if self.writing else ""
        if not self.shots:
            return f"zero-shot{written}"
        by = f" by {self.selector}" if self.selector else ""
        plural = "" if self.shots == 1 else "s"
        return f"{self.shots} demonstration{plural}{by}, seed {self.seed}{written}"


def facts_of(record: RunRecord) -> Facts:
    """The facts; what the spec does not say is ``unknown`` or empty."""
    spec = record.spec
    backend = str(spec.backend.get("name") or "unknown")
    members = spec.strategy.get("members") or ()
    strategy = members[0] if members else spec.strategy
    shots = strategy.get("shots")
    train = spec.data.get("train")
    kinds = dict.fromkeys(one.kind for one in record.predictions if one.kind)
    return Facts(
        fingerprint=spec.fingerprint(),
        template=str(spec.template.get("name") or "unknown"),
        model=str(spec.backend.get("model") or backend),
        backend=backend,
        data=str(spec.data.get("name") or "unknown"),
        split=str(spec.data.get("split") or ""),
        n=len(record.predictions),
        shots=shots if isinstance(shots, int) else None,
        selector=_selector(strategy),
        strategy=_told(record),
        seed=spec.seed,
        evidence=", ".join(kinds),
        n_train=train.get("n") if isinstance(train, Mapping) and shots is None else None,
        writing=(
            f"{spec.strategy['how']} of {len(members)} prompts" if members else _writing(strategy)
        ),
    )


def _selector(strategy: Mapping[str, Any]) -> str:
    """Who chose demonstrations and, where somebody did, who arranged them."""
    order = strategy.get("order")
    return _name(strategy.get("selector")) + (f" in order {order}" if order else "")


def _writing(strategy: Mapping[str, Any]) -> str:
    """How a model writes, and what reads it; empty where labels are scored."""
    if strategy.get("name") != "generate":
        return ""
    drawn = "greedy"
    if strategy["temperature"]:
        n = strategy["samples"]
        often = "1 sample" if n == 1 else f"vote of {n} samples"
        drawn = f"{often} at temperature {strategy['temperature']:g}"
    if strategy.get("constrained"):
        return f"{drawn}, constrained to the labels"
    return f"{drawn}, read by {strategy['parser']}"


def _told(record: RunRecord) -> str:
    """Such as ``features (layer 4, pooling mean)``: a name, and what was asked for besides."""
    name = str(record.spec.strategy.get("name") or "")
    options = record.origin.get("strategy_options") or {}
    told = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in options.items())
    return f"{name} ({told})" if told else name


def _name(part: Any) -> str:
    """A part is its name, or a mapping of its name and options."""
    name = part.get("name") if isinstance(part, Mapping) else part
    return str(name or "")
