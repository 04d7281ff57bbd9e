"""From choices to what is told of them: inner and outer scores, optimism, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from promptkit.metrics.intervals import score_interval
from promptkit.metrics.rows import Floats
from promptkit.metrics.student import quantile
from promptkit.runs.compare.nouns import Draw
from promptkit.runs.search.bench import Measured, Right
from promptkit.runs.search.halving import Choice
from promptkit.runs.search.nouns import Configuration, Fold, Tried
from promptkit.types import Example, Score


@dataclass(frozen=True)
class Outer:
    """An outer fold.

    Args:
        draw: Its rows.
        choice: What was chosen without it.
        right: Whether the chosen one is right about each of its rows; None where that could not
            be afforded.
    """

    draw: Draw
    choice: Choice
    right: Right | None

    @property
    def chosen(self) -> Measured | None:
        """What was measured of the chosen one on the rows that chose it."""
        one = self.choice.chosen
        return self.choice.seen[one.place] if one is not None else None


def accuracy(right: Right) -> Score:
    """With Wilson's interval over rows."""
    value, n = float(right.mean()), len(right)
    low, high = score_interval(value, sqrt(value * (1 - value) / n), inf, n)
    return Score("accuracy", value, low, high, n)


def tried_of(
    space: Sequence[Configuration], final: Choice, outer: Sequence[Outer], n: int
) -> tuple[Tried, ...]:
    """A line for each configuration."""
    lines = []
    for one in space:
        measured = final.seen.get(one.place)
        lines.append(
            Tried(
                one,
                accuracy(measured.right) if measured else None,
                measured.tokens / measured.n if measured else 0.0,
                sum(fold.choice.chosen == one for fold in outer),
                _fate(one, final, n),
                final.problems.get(one.place, ""),
            )
        )
    return tuple(lines)


def _fate(one: Configuration, final: Choice, n: int) -> str:
    measured = final.seen.get(one.place)
    if one == final.chosen:
        return "chosen"
    if one.place in final.problems:
        return "cannot be"
    if measured is None:
        return "not looked at"
    if one.place in final.dropped:
        return "dropped"
    return "all rows" if measured.n == n else "budget spent"


def folds_of(outer: Sequence[Outer]) -> tuple[Fold, ...]:
    """The folds as they are told of."""
    return tuple(
        Fold(
            index=fold.draw.index,
            chosen=fold.choice.chosen,
            inner=fold.chosen.accuracy if fold.chosen else None,
            n_inner=fold.chosen.n if fold.chosen else 0,
            outer=float(fold.right.mean()) if fold.right is not None else None,
            n_outer=len(fold.draw.held),
            looked=len(fold.choice.seen),
        )
        for fold in outer
    )


def scores_of(
    space: Sequence[Configuration],
    examples: Sequence[Example],
    outer: Sequence[Outer],
    final: Choice,
) -> tuple[float | None, Score | None, Score | None, Score | None]:
    """Inner and outer accuracy, optimism, and what the search gained; None where unknown."""
    whole = [fold for fold in outer if fold.right is not None]
    inner = np.mean([fold.chosen.accuracy for fold in whole if fold.chosen]) if whole else None
    if inner is None:
        return None, None, None, None
    held = _held(whole, len(examples))
    right = held[~np.isnan(held)]
    simplest = final.seen.get(space[0].place)
    gain = None
    if simplest is not None and simplest.n == len(examples):
        gain = _mean("gain", held - simplest.right)
    return float(inner), accuracy(right.astype(bool)), _optimism(whole, held, float(inner)), gain


def _held(whole: Sequence[Outer], n: int) -> Floats:
    """(n,) 1 where a row was answered rightly while it was held out, NaN where it was not."""
    held = np.full(n, np.nan)
    for fold in whole:
        held[list(fold.draw.held)] = fold.right
    return held


def _optimism(whole: Sequence[Outer], held: Floats, inner: float) -> Score:
    """Mean over folds of inner minus outer, with an interval over rows.

    A row is held out once, and chooses in all other folds: its two sides are paired, so that what
    is hard about a row says nothing about optimism. The interval covers other rows, for these
    choices; not other ways of dealing the folds.
    """
    sums, times = np.zeros(len(held)), np.zeros(len(held))
    for fold in whole:
        assert fold.chosen is not None
        places = list(fold.draw.train[: fold.chosen.n])
        sums[places] += fold.chosen.right
        times[places] += 1
    both = (times > 0) & ~np.isnan(held)
    outer = float(np.mean([fold.right.mean() for fold in whole if fold.right is not None]))
    value = inner - outer
    paired = sums[both] / times[both] - held[both]
    half = _half(paired)
    if half is None:
        return Score("optimism", value, None, None, int(both.sum()))
    return Score("optimism", value, value - half, value + half, int(both.sum()))


def _mean(metric: str, values: Floats) -> Score:
    known = values[~np.isnan(values)]
    value, half = float(known.mean()), _half(known)
    if half is None:
        return Score(metric, value, None, None, len(known))
    return Score(metric, value, value - half, value + half, len(known))


def _half(values: Floats) -> float | None:
    """Half the 95% interval of a mean; None for fewer than two values."""
    n = len(values)
    if n < 2:
        return None
    return float(quantile(0.975, n - 1) * values.std(ddof=1) / sqrt(n))
