"""What lies behind an accuracy: labels, rows, confidence, and each way against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promptkit.metrics.difference import Difference
from promptkit.metrics.holm import holm
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.grid import Grid, Outcome
from promptkit.runs.compare.ledger import BASELINES
from promptkit.runs.compare.lines import difference_between, final_line
from promptkit.runs.compare.nouns import Entry

#: Bins of confidence, from 0 to 1.
BINS = 10


@dataclass(frozen=True)
class LabelFigures:
    """One label, over all draws.

    Args:
        label: Its place.
        n: Rows of that label.
        precision: Share of its predictions that are right; None without any.
        recall: Share of its rows that are found; None without any.
        f1: Their harmonic mean; None without both.
    """

    label: int
    n: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class Bin:
    """Predictions of about one confidence.

    Args:
        confidence: Their mean confidence.
        accuracy: The share of them that is right.
        n: How many they are.
    """

    confidence: float
    accuracy: float
    n: int


@dataclass(frozen=True)
class Answers:
    """How the ways answered one held-out row.

    Args:
        place: Of the row in the data.
        right: By name of the entry, the share of draws in which it was right.
        said: By name of the entry, the place of the label that it said most often; -1 for none.
    """

    place: int
    right: Mapping[str, float]
    said: Mapping[str, int]


class Breakdown:
    """Looks into the cells of a comparison, with all labelled rows.

    Args:
        comparison: What was compared.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self._grid = Grid(comparison.cells, comparison.golds, comparison.draws)
        self.entries = [
            entry for entry in comparison.plan.entries if self.outcomes(entry) is not None
        ]

    def outcomes(self, entry: Entry) -> Mapping[int, Outcome] | None:
        """By draw, what it predicted; None without a result."""
        line = final_line(self.comparison.lines, entry)
        return self._grid.of(entry.name, line.size) or None

    def confusion(self, entry: Entry) -> NDArray[np.int64]:
        """(k, k + 1) rows of each label by predicted label, the last column for unscored ones."""
        k = len(self.comparison.plan.labels)
        counts = np.zeros((k, k + 1), np.int64)
        for one in (self.outcomes(entry) or {}).values():
            np.add.at(counts, (one.gold, np.where(one.predicted < 0, k, one.predicted)), 1)
        return counts

    def labels(self, entry: Entry) -> list[LabelFigures]:
        """The figures of each label, in order."""
        counts = self.confusion(entry)
        told = []
        for place, row in enumerate(counts):
            hit, n, said = int(row[place]), int(row.sum()), int(counts[:, place].sum())
            precision = hit / said if said else None
            recall = hit / n if n else None
            f1 = 2 * hit / (n + said) if n and said else None
            told.append(LabelFigures(place, n, precision, recall, f1))
        return told

    def reliability(self, entry: Entry) -> list[Bin]:
        """Bins of confidence that hold anything; empty where there are no probabilities."""
        found = [one for one in (self.outcomes(entry) or {}).values() if len(one.confidence)]
        if not found:
            return []
        sure = np.concatenate([one.confidence for one in found])
        right = np.concatenate([one.right for one in found])
        known = np.isfinite(sure)
        sure, right = sure[known], right[known]
        where = np.minimum((sure * BINS).astype(int), BINS - 1)
        return [
            Bin(float(sure[own].mean()), float(right[own].mean()), int(own.sum()))
            for own in (where == place for place in range(BINS))
            if own.any()
        ]

    def paired(self) -> dict[tuple[str, str], tuple[Difference, float | None]]:
        """For each two ways, the first one's accuracy minus the second's, with Holm's p-value."""
        found: dict[tuple[str, str], Difference] = {}
        for place, first in enumerate(self.entries):
            for second in self.entries[place + 1 :]:
                gap = difference_between(
                    self.comparison.plan,
                    self.outcomes(first) or {},
                    self.outcomes(second) or {},
                )
                if gap is not None:
                    found[first.name, second.name] = gap
        tested = {key: gap for key, gap in found.items() if gap.error is not None}
        p_values = {}
        if tested:
            adjusted = holm([gap.p_value for gap in tested.values()])
            p_values = dict(zip(tested, map(float, adjusted), strict=True))
        return {key: (gap, p_values.get(key)) for key, gap in found.items()}

    def answers(self) -> list[Answers]:
        """All held-out rows, as the ways answered them that look at the text."""
        ways = [entry for entry in self.entries if entry.strategy not in BASELINES]
        right: dict[int, dict[str, list[bool]]] = {}
        said: dict[int, dict[str, list[int]]] = {}
        for entry in ways:
            for one in (self.outcomes(entry) or {}).values():
                for place, hit, label in zip(
                    one.places.tolist(), one.right.tolist(), one.predicted.tolist(), strict=True
                ):
                    right.setdefault(place, {}).setdefault(entry.name, []).append(hit)
                    said.setdefault(place, {}).setdefault(entry.name, []).append(label)
        return [
            Answers(
                place,
                {name: float(np.mean(hits)) for name, hits in right[place].items()},
                {name: _most_frequent(labels) for name, labels in said[place].items()},
            )
            for place in sorted(right)
        ]


def all_wrong(answers: Sequence[Answers]) -> list[Answers]:
    """Rows that every way gets wrong in every draw, those first on which the ways agree."""
    wrong = [one for one in answers if len(one.right) > 1 and not any(one.right.values())]
    return sorted(wrong, key=lambda one: (len(set(one.said.values())), one.place))


def divided(answers: Sequence[Answers], chosen: str) -> list[Answers]:
    """Rows on which the ways differ, those first that most get right and the chosen one wrong."""

    def gap(one: Answers) -> float:
        others = [share for name, share in one.right.items() if name != chosen]
        return float(np.mean(others)) - one.right.get(chosen, 0.0) if others else 0.0

    told = [one for one in answers if 0 < float(np.mean(list(one.right.values()))) < 1]
    return sorted(told, key=lambda one: (-gap(one), one.place))


def expected_error(bins: Sequence[Bin]) -> float | None:
    """Mean gap between confidence and accuracy (ECE, Naeini et al. 2015); None without bins."""
    total = sum(one.n for one in bins)
    if not total:
        return None
    return sum(one.n * abs(one.confidence - one.accuracy) for one in bins) / total


def _most_frequent(labels: Sequence[int]) -> int:
    values, counts = np.unique(labels, return_counts=True)
    return int(values[int(np.argmax(counts))])
