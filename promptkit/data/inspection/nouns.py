"""Rows that are looked at, and what is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from promptkit.types import Value

#: ``breaks``: an evaluation stops at it, or cannot be right. ``misleads``: a number comes out
#: better or worse than it is. ``look``: may be meant so.
Severity = Literal["breaks", "misleads", "look"]
SEVERITIES: tuple[Severity, ...] = ("breaks", "misleads", "look")

#: Called with what is done, how much of it, and of how much (None where nobody knows).
OnStep = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Row:
    """A row as far as it is looked at.

    Args:
        split: The part of the data set that it is in.
        file: Its file.
        unit: ``line`` or ``row``.
        number: Which one of the file.
        id: Its own id, if it has one.
        texts: What its text columns hold.
        label: Its label, or None.
    """

    split: str
    file: str
    unit: str
    number: int
    id: str | None
    texts: tuple[str, ...]
    label: Value | None

    @property
    def text(self) -> str:
        """All its texts."""
        return self.texts[0] if len(self.texts) == 1 else "\n".join(self.texts)

    @property
    def where(self) -> str:
        """Such as ``rows.csv line 7``."""
        return f"{self.file} {self.unit} {self.number}"


@dataclass(frozen=True, slots=True)
class Spot:
    """A row that a finding is about.

    Args:
        row: Its place among all rows.
        note: What is the matter with it.
        other: The place of the row that it is compared with.
    """

    row: int
    note: str = ""
    other: int | None = None


@dataclass(frozen=True)
class Finding:
    """One thing that is the matter.

    Args:
        kind: A short name for programs, such as ``leak``.
        title: What it is, for people.
        severity: How much it matters.
        step: What to do next.
        spots: The rows that it is about; empty where it is about no single row.
        note: How much of what, such as ``test: 12 of 500 rows``.
    """

    kind: str
    title: str
    severity: Severity
    step: str
    spots: tuple[Spot, ...] = ()
    note: str = ""

    @property
    def n(self) -> int:
        """Rows that it is about."""
        return len(self.spots)


@dataclass(frozen=True)
class Settings:
    """What is looked for, and from where on.

    Args:
        near: Jaccard similarity of character 5-grams from which two texts are near-duplicates;
            None looks for none.
        seed: Of MinHash.
        max_length: Tokens, or words where nothing counts tokens, that a text may have; None is
            what the model reads, else 180 words and 1,200 characters.
        language: ISO 639-1 code of the language that texts should have; None takes the one that
            most have; ``any`` does not look.
        count_tokens: Counts the tokens of texts, those that a model puts around them included.
        model: What tables call that model.
    """

    near: float | None = 0.8
    seed: int = 0
    max_length: int | None = None
    language: str | None = None
    count_tokens: Callable[[Sequence[str]], list[int]] | None = None
    model: str = ""


@dataclass(frozen=True)
class Inspection:
    """A data set, looked over.

    Args:
        data: What tables call it.
        rows: All rows that could be read, split after split.
        findings: What is the matter, the worst first.
        counts: By split, rows of each label; None counts rows without.
        text_columns: The columns of text.
        label_column: The column of labels, if there is one.
        notes: What was not looked at, and why; what limits held.
        seconds: How long it took.
    """

    data: str
    rows: Sequence[Row] = field(repr=False)
    findings: tuple[Finding, ...]
    counts: Mapping[str, Mapping[Value | None, int]]
    text_columns: tuple[str, ...]
    label_column: str | None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    def worst(self, severity: Severity) -> bool:
        """Whether something of this severity or a worse one was found."""
        bar = SEVERITIES.index(severity)
        return any(SEVERITIES.index(one.severity) <= bar for one in self.findings)

    def splits(self) -> dict[str, int]:
        """Rows of each split."""
        return {split: sum(of.values()) for split, of in self.counts.items()}
