"""A finished comparison: everything that its reports are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from promptkit.runs.compare.firmness import Firmness
from promptkit.runs.compare.growth import Advice, Growth
from promptkit.runs.compare.ledger import Account, Prices
from promptkit.runs.compare.nouns import Cell, Draw, Line, Plan, Verdict


@dataclass(frozen=True)
class Comparison:
    """A finished comparison.

    Args:
        plan: What was planned.
        lines: A line for each entry and size, in the order of entries, then sizes.
        recommendation: The verdict at all rows.
        cells: Everything that was computed.
        golds: For each held-out place, the place of its gold label.
        fingerprint: Sixteen digits that name the comparison.
        packages: Versions that it ran with.
        notes: What a reader must know after the run.
        seconds: Seconds that the computed cells took.
        from_store: Cells that were answered from the store.
        origin: Where rows came from.
        draws: Training and held-out rows of each draw.
        ids: Ids of all rows, the test rows behind the labelled ones.
        texts: Their texts, for people to look at.
        accounts: What each entry costs, by its name.
        prices: What things cost.
        growths: Learning curves by name of the entry.
        advice: Whether more rows are worth labelling; None where no curve tells.
        firmness: What the verdict hangs on; None without a verdict.
        command: The command that computes the same again.
    """

    plan: Plan
    lines: tuple[Line, ...]
    recommendation: Verdict
    cells: tuple[Cell, ...]
    golds: tuple[int, ...]
    fingerprint: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    from_store: int = 0
    origin: Mapping[str, Any] = field(default_factory=dict)
    draws: tuple[Draw, ...] = ()
    ids: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    accounts: Mapping[str, Account] = field(default_factory=dict)
    prices: Prices = field(default_factory=Prices)
    growths: Mapping[str, Growth] = field(default_factory=dict)
    advice: Advice | None = None
    firmness: Firmness | None = None
    command: str = ""
