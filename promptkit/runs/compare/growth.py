"""What more labelled rows would bring: each entry's learning curve, and advice on labelling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from promptkit.metrics.power_law import Curve, Forecast, fit_curve
from promptkit.metrics.rows import Floats
from promptkit.runs.compare.grid import Grid, Outcome
from promptkit.runs.compare.ledger import BASELINES
from promptkit.runs.compare.lines import sizes_of
from promptkit.runs.compare.nouns import Entry, Plan, Size

#: Sizes that a curve needs.
SIZES = 3
#: Accuracy for which twice as many labelled rows are worth labelling.
WORTH = 0.01
#: Probability from which something is said to be so.
LIKELY = 0.8
#: Rows a label below which curves say too little (docs/log.md: banking77).
FEW = 5
#: Standard deviation between fits where there is one draw, and nothing tells.
UNKNOWN_NOISE = 0.015


@dataclass(frozen=True)
class Held:
    """The largest size as foretold by the smaller ones, and as it came.

    Args:
        n: Rows of the largest size.
        foretold: From the sizes below it.
        came: The accuracy that was measured.
    """

    n: float
    foretold: Forecast
    came: float

    @property
    def is_within(self) -> bool:
        """Whether it came within the band."""
        return self.foretold.low <= self.came <= self.foretold.high


@dataclass(frozen=True)
class Growth:
    """An entry's learning curve.

    Args:
        entry: Whose.
        sizes: Mean numbers of labelled rows of the points.
        accuracies: The points.
        curve: What is expected between and beyond them.
        held: The test of the law on the largest size; None where there are too few below it.
    """

    entry: Entry
    sizes: tuple[float, ...]
    accuracies: tuple[float, ...]
    curve: Curve
    held: Held | None


@dataclass(frozen=True)
class Advice:
    """What to do about labelling.

    Args:
        kind: ``label``: more rows are worth it; ``enough``: they will not help, another strategy or
            model might; ``unclear``: the curve does not tell.
        entry: Of which it speaks.
        more: Further rows that it speaks of.
        gain: What they are expected to bring.
        sentence: All of it in words.
        other: An entry that is expected to be ahead with that many rows; None of none.
    """

    kind: str
    entry: Entry
    more: int
    gain: Forecast
    sentence: str
    other: Entry | None = None


def growths_of(plan: Plan, grid: Grid) -> dict[str, Growth]:
    """The curve of each entry that stands at enough sizes, by name; baselines have none."""
    found = {}
    for entry in plan.entries:
        if not entry.fits or entry.strategy in BASELINES:
            continue
        growth = growth_of(plan, entry, grid)
        if growth is not None:
            found[entry.name] = growth
    return found


def growth_of(plan: Plan, entry: Entry, grid: Grid) -> Growth | None:
    """One entry's curve; None with too few sizes."""
    by_size = [(size, grid.of(entry.name, size)) for size in sizes_of(plan, entry)]
    points = [(size, own) for size, own in by_size if len(own) == _wanted(plan, size)]
    if len(points) < SIZES:
        return None
    means = [_mean_rows(own) for _, own in points]
    sizes = [float(np.mean([o.n_train for o in own.values()])) for _, own in points]
    rows = sorted(set.intersection(*(set(mean) for mean in means)))
    if len(rows) < 2 or not all(np.diff(sizes) > 0):
        return None
    right = np.array([[mean[row] for row in rows] for mean in means])
    covariance = np.cov(right) / len(rows)
    noise = _noise(plan, [own for _, own in points], sizes)
    spread = noise * np.sqrt(sizes[-1] / np.array(sizes))  # fewer rows, more luck
    repeats = [max(len(_repeats(plan, own)), 1) for _, own in points]
    covariance = covariance + np.diag(spread**2 / np.array(repeats))
    accuracies = right.mean(axis=1)
    curve = fit_curve(sizes, accuracies, covariance, noise=noise)
    held = None
    if len(sizes) > SIZES:
        before = fit_curve(sizes[:-1], accuracies[:-1], covariance[:-1, :-1], noise=noise)
        foretold = _seen(before, sizes[-1], float(covariance[-1, -1]))
        held = Held(sizes[-1], foretold, float(accuracies[-1]))
    return Growth(entry, tuple(sizes), tuple(map(float, accuracies)), curve, held)


def advice_for(plan: Plan, growths: Mapping[str, Growth], entry: Entry) -> Advice | None:
    """Whether more rows are worth labelling for one who uses an entry; None without a curve."""
    growth = growths.get(entry.name)
    if growth is None:
        return None
    n, curve = plan.n_rows, growth.curve
    gain = curve.gain(n, 2 * n)
    worth, ceiling = curve.chance(n, 2 * n, WORTH), curve.ceiling()
    band = f"{_points(gain.low)} to {_points(gain.high)}"
    twice = f"{n:,} more labelled rows are expected to bring {entry.name} {_points(gain.mean)}"
    if worth >= LIKELY:
        kind = "label"
        said = f"label more: {twice} points of accuracy (90% band {band})"
    elif worth <= 1 - LIKELY:
        kind = "enough"
        said = (
            f"more labels will hardly help {entry.name}: {n:,} more are expected to bring "
            f"{_points(gain.mean)} points (90% band {band}), any number of them an accuracy of "
            f"{ceiling.mean:.3f}; change the strategy, or the model"
        )
    else:
        kind = "unclear"
        said = (
            f"whether more labels help cannot be told from these sizes: {twice} points "
            f"(90% band {band})"
        )
    if n < FEW * len(plan.labels):
        said += (
            f"; a label has {n / len(plan.labels):.1f} rows on average, and what its first rows "
            "bring no curve shows: it may be more"
        )
    other = _ahead(growths, growth, 2 * n)
    if other is not None:
        said += f"; with {2 * n:,} rows {other.name} is expected to be ahead of it"
    return Advice(kind, entry, n, gain, said, other)


def _ahead(growths: Mapping[str, Growth], own: Growth, n: float) -> Entry | None:
    """The entry that is expected to be clearly ahead with n rows, and is not with those there."""
    best, most = None, own.curve.at(n).mean + WORTH
    for growth in growths.values():
        now = growth.accuracies[-1] > own.accuracies[-1]
        if growth.entry.name != own.entry.name and not now and growth.curve.at(n).mean > most:
            best, most = growth.entry, growth.curve.at(n).mean
    return best


def _wanted(plan: Plan, size: Size) -> int:
    """The draws that a size has when it is whole."""
    return 1 if plan.design == "test" and size is None else plan.folds * plan.repeats


def _repeats(plan: Plan, own: Mapping[int, Outcome]) -> list[float]:
    """The accuracy of each whole repeat of the cross-validation, or of each draw."""
    found = []
    for first in range(0, plan.folds * plan.repeats, plan.folds):
        parts = [own[index] for index in range(first, first + plan.folds) if index in own]
        if len(parts) == plan.folds:
            found.append(float(np.concatenate([part.right for part in parts]).mean()))
    return found


def _mean_rows(own: Mapping[int, Outcome]) -> dict[int, float]:
    """For each held-out row, the share of draws in which it was right."""
    found: dict[int, list[bool]] = {}
    for outcome in own.values():
        for place, right in zip(outcome.places.tolist(), outcome.right.tolist(), strict=True):
            found.setdefault(place, []).append(right)
    return {place: float(np.mean(rights)) for place, rights in found.items()}


def _noise(plan: Plan, points: Sequence[Mapping[int, Outcome]], sizes: Sequence[float]) -> float:
    """The standard deviation between draws at the largest size, pooled over sizes.

    Luck shrinks about as the root of the number of rows; each size votes with its draws.
    """
    squares, df = 0.0, 0
    for own, n in zip(points, sizes, strict=True):
        repeats = _repeats(plan, own)
        if len(repeats) > 1:
            squares += float(np.var(repeats, ddof=1)) * (len(repeats) - 1) * n / sizes[-1]
            df += len(repeats) - 1
    if not df:
        return UNKNOWN_NOISE
    # a few draws say little: they are joined by one that is as usual
    return float(np.sqrt((squares + UNKNOWN_NOISE**2) / (df + 1)))


def _seen(curve: Curve, n: float, variance: float) -> Forecast:
    """The accuracy that would be measured with n rows, errors of the measurement included."""
    rng = np.random.default_rng([curve.seed, 9])
    luck: Floats = np.sqrt(variance) * rng.standard_normal(len(curve.level))
    return replace(curve, level=curve.level + luck).at(n)


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"
