"""From cells to the lines of the table: accuracy with intervals, tests against the best, costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from promptkit.metrics.classification import confusion_from, macro_f1, margins_of
from promptkit.metrics.difference import Difference
from promptkit.metrics.holm import holm
from promptkit.metrics.intervals import Estimate, macro_f1_over_draws, over_draws, over_folds
from promptkit.metrics.paired_draws import compare_draws
from promptkit.metrics.resampled import corrected_t
from promptkit.runs.compare.grid import Grid, Outcome
from promptkit.runs.compare.nouns import Cell, Draw, Entry, Line, Plan, Size
from promptkit.types import Score

Places = NDArray[np.int64]


def lines_of(
    plan: Plan, cells: Sequence[Cell], golds: Sequence[int], draws: Sequence[Draw]
) -> list[Line]:
    """A line for each entry and size, with intervals and tests.

    At each size the entries are tested against the best one there; entries that labelled rows do
    not change are tested with those that use all rows. p-values of one size are Holm-corrected.
    """
    grid = Grid(cells, golds, draws)
    lines = [
        _line(plan, entry, size, cells, grid)
        for entry in plan.entries
        for size in sizes_of(plan, entry)
    ]
    tested: list[Line] = []
    for size in plan.sizes:
        there = [line for line in lines if line.size == size or (size is None and line.size == 0)]
        tested += _against_best(plan, there, grid)
    kept = {(line.entry.name, line.size): line for line in tested}
    return [kept.get((line.entry.name, line.size), line) for line in lines]


def rough_lines(
    plan: Plan, cells: Sequence[Cell], golds: Sequence[int], draws: Sequence[Draw]
) -> list[Line]:
    """The same without intervals and tests, for a view that is drawn after every cell."""
    grid = Grid(cells, golds, draws)
    return [
        _line(plan, entry, size, cells, grid, rough=True)
        for entry in plan.entries
        for size in sizes_of(plan, entry)
    ]


def sizes_of(plan: Plan, entry: Entry) -> Sequence[Size]:
    """The sizes at which an entry stands."""
    return [size for size in plan.sizes if size != 0] if entry.fits else [0]


def final_line(lines: Sequence[Line], entry: Entry) -> Line:
    """An entry's line with all rows; that at size 0 for one that rows do not change."""
    return next(
        line
        for line in lines
        if line.entry.name == entry.name and line.size == (None if entry.fits else 0)
    )


def difference_between(
    plan: Plan, first: Mapping[int, Outcome], second: Mapping[int, Outcome]
) -> Difference | None:
    """Accuracy of the first minus that of the second on the draws that both have; None without."""
    common = sorted(first.keys() & second.keys())
    if not common:
        return None
    if plan.design == "test":
        return compare_draws(
            np.stack([first[draw].right for draw in common]),
            np.stack([second[draw].right for draw in common]),
        )
    gaps = [first[draw].accuracy - second[draw].accuracy for draw in common]
    n_test = float(np.mean([len(first[draw].gold) for draw in common]))
    return corrected_t(gaps, n_train=plan.n_rows - n_test, n_test=n_test)


def _line(
    plan: Plan,
    entry: Entry,
    size: Size,
    cells: Sequence[Cell],
    grid: Grid,
    rough: bool = False,
) -> Line:
    own = [cell for cell in cells if cell.entry == entry.name and cell.size == size]
    good = [cell for cell in own if not cell.problem]
    problem = next((cell.problem for cell in own if cell.problem), "")
    outcomes = [outcome for _, outcome in sorted(grid.of(entry.name, size).items())]
    line = Line(
        entry=entry,
        size=size,
        n_train=_mean([cell.n_train for cell in good]),
        accuracy=None,
        macro_f1=None,
        cells_done=len(good),
        cells_planned=sum(c.entry.name == entry.name and c.size == size for c in plan.cells),
        problem=problem or ("" if good else "not computed"),
    )
    if not good:
        return line
    timed = [cell.row_seconds for cell in good if cell.row_seconds]
    rows = sum(len(cell.predicted) for cell in good)
    each = _mean(timed) if timed else sum(cell.predict_seconds for cell in good) / rows
    fresh = [cell for cell in good if cell.is_fresh] or good
    chosen = Counter(cell.facts for cell in good if cell.facts).most_common(1)
    return replace(
        line,
        accuracy=_accuracy(plan, outcomes, rough),
        macro_f1=_macro_f1(plan, grid.of(entry.name, size), rough),
        fit_seconds=_mean([cell.fit_seconds for cell in fresh]),
        seconds_per_1000=1000 * each,
        trained_parameters=max(cell.trained_parameters for cell in good),
        peak_bytes=max(cell.peak_bytes for cell in good),
        facts=chosen[0][0] if chosen else "",
        stored_bytes=max(cell.stored_bytes for cell in good),
    )


def _accuracy(plan: Plan, outcomes: Sequence[Outcome], rough: bool) -> Score:
    """Mean over draws or folds; the interval covers what `Estimate.over` says."""
    n_unscored = sum(int((outcome.predicted < 0).sum()) for outcome in outcomes)
    if rough:
        value = _mean([outcome.accuracy for outcome in outcomes])
        return Score("accuracy", value, None, None, plan.n_held, n_unscored)
    if plan.design == "test":
        return _score(over_draws(np.stack([o.right for o in _distinct(outcomes)])), n_unscored)
    n_test = _mean([len(outcome.gold) for outcome in outcomes])
    found = over_folds(
        [outcome.accuracy for outcome in outcomes], n_train=plan.n_rows - n_test, n_test=n_test
    )
    return _score(found, n_unscored)


def _macro_f1(plan: Plan, found: Mapping[int, Outcome], rough: bool) -> Score:
    """Mean over draws, or over the repeats of a cross-validation, each pooled over its folds.

    Macro-F1 of a single fold would rest on a handful of rows a label. Where folds are missing,
    what is there is pooled and no interval is given.
    """
    k, whole = len(plan.labels), []
    for first in range(0, plan.folds * plan.repeats, plan.folds):
        own = [found[index] for index in range(first, first + plan.folds) if index in found]
        if len(own) == plan.folds:
            whole.append(own)
    if not whole or rough:
        gold = np.concatenate([outcome.gold for outcome in found.values()])
        predicted = np.concatenate([outcome.predicted for outcome in found.values()])
        value = float(macro_f1(margins_of(_confusion(gold, predicted, k))))
        return Score("macro-F1", value, None, None, plan.n_held)
    if plan.design == "test":
        whole = [[outcome] for outcome in _distinct([own[0] for own in whole])]
        order = [np.arange(len(whole[0][0].gold))] * len(whole)
    else:
        order = [np.argsort(np.concatenate([o.places for o in own])) for own in whole]
    gold = np.concatenate([outcome.gold for outcome in whole[0]])[order[0]]
    predicted = np.stack(
        [
            np.concatenate([outcome.predicted for outcome in own])[places]
            for own, places in zip(whole, order, strict=True)
        ]
    )
    return _score(macro_f1_over_draws(gold, predicted, k), 0)


def _confusion(gold: Places, predicted: Places, k: int) -> Places:
    return confusion_from(gold, np.where(predicted < 0, k, predicted), k)


def _distinct(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """On a fixed test set, an entry that rows do not change has the same outcome in every draw."""
    first = outcomes[0]
    if all(outcome.n_train == 0 for outcome in outcomes):
        return [first]
    return list(outcomes)


def _score(found: Estimate, n_unscored: int) -> Score:
    name = "macro-F1" if found.metric == "macro_f1" else found.metric
    return Score(name, found.value, found.low, found.high, found.n, n_unscored)


def _against_best(plan: Plan, lines: Sequence[Line], grid: Grid) -> list[Line]:
    """The lines of one size with differences from the best of them, Holm-corrected."""
    scored = [line for line in lines if line.accuracy is not None]
    if not scored:
        return list(lines)
    best = max(scored, key=lambda line: (_value(line), -line.entry.rank))
    top = grid.of(best.entry.name, best.size)
    found = {
        line.entry.name: difference_between(plan, grid.of(line.entry.name, line.size), top)
        for line in scored
        if line is not best
    }
    tests = {name: gap for name, gap in found.items() if gap is not None and gap.error is not None}
    adjusted = dict(zip(tests, holm([gap.p_value for gap in tests.values()]), strict=True))
    return [
        replace(
            line,
            difference=gap.mean if (gap := found.get(line.entry.name)) is not None else None,
            p_value=float(adjusted[line.entry.name]) if line.entry.name in adjusted else None,
            is_best=line is best,
        )
        for line in lines
    ]


def _value(line: Line) -> float:
    return line.accuracy.value if line.accuracy else -1.0


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else 0.0
