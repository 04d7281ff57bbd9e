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
        strategy: Name of the strategy.
        seed: Seed of the run.
        evidence: What the predictions rest on, such as ``cosine``.
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

    @property
    def data_and_split(self) -> str:
        """Such as ``reviews test``."""
        return f"{self.data} {self.split}".strip()

    @property
    def prompting(self) -> str:
        """Such as ``8 demonstrations by nearest, seed 3``, or ``zero-shot``."""
        if self.shots is None:
            return self.strategy or "unknown"
        if not self.shots:
            return "zero-shot"
        by = f" by {self.selector}" if self.selector else ""
        plural = "" if self.shots == 1 else "s"
        return f"{self.shots} demonstration{plural}{by}, seed {self.seed}"


def facts_of(record: RunRecord) -> Facts:
    """The facts; what the spec does not say is ``unknown`` or empty."""
    spec = record.spec
    backend = str(spec.backend.get("name") or "unknown")
    shots = spec.strategy.get("shots")
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
        selector=_name(spec.strategy.get("selector")),
        strategy=str(spec.strategy.get("name") or ""),
        seed=spec.seed,
        evidence=", ".join(kinds),
    )


def _name(part: Any) -> str:
    """A part is its name, or a mapping of its name and options."""
    name = part.get("name") if isinstance(part, Mapping) else part
    return str(name or "")
