"""How firm a verdict is: under other rows, under other draws, and what more work could change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from promptkit.metrics.choice import expected_regret
from promptkit.metrics.rows import Floats
from promptkit.metrics.two_way import two_way
from promptkit.runs.compare.grid import Grid, Outcome
from promptkit.runs.compare.ledger import Account
from promptkit.runs.compare.nouns import Cell, Line, Plan
from promptkit.runs.compare.rules import chosen_by_rules, finished, within_limits
from promptkit.runs.compare.spec import CompareSpec
from promptkit.runs.compare.weighing import case_of, weighed

#: Resamples of the held-out rows.
RESAMPLES = 100
#: Monte Carlo draws within each; the verdict itself takes more.
_DRAWS = 2000
_HOUR = 3600.0


@dataclass(frozen=True)
class Information:
    """What it is worth to know more before choosing, in accuracy.

    Expected value of sample information (Raiffa and Schlaifer 1961): how much more accurate the
    way that one would choose afterwards is expected to be than the one of now.

    Args:
        repeats: Further repeats of the cross-validation that an hour is enough for.
        hour: What these are worth; None where a single repeat does not tell, or where there are
            none to be had, as of all labelled rows on a fixed test set.
        is_exhausted: Whether there are none to be had.
        rows: What twice as many held-out rows are worth.
        perfect: What it is worth to know all accuracies exactly.
    """

    repeats: int
    hour: float | None
    is_exhausted: bool
    rows: float
    perfect: float


@dataclass(frozen=True)
class Firmness:
    """What the verdict hangs on.

    Args:
        shares: By entry, the share of resamples of the held-out rows in which it is recommended;
            the empty name stands for none.
        without: The entry that is recommended when each repeat, or draw, is left out.
        information: What more work is worth; None where nothing is measured.
    """

    shares: Mapping[str, float]
    without: tuple[str, ...]
    information: Information | None


def firmness_of(
    plan: Plan,
    lines: Sequence[Line],
    cells: Sequence[Cell],
    grid: Grid,
    asked: CompareSpec,
    accounts: Mapping[str, Account],
) -> Firmness:
    """Let the rules speak again, over resampled rows and over fewer draws."""

    def name(other: Grid) -> str:
        case = case_of(plan, lines, other, asked, accounts, draws=_DRAWS)
        return chosen_by_rules(case)

    held = plan.n_rows + (plan.n_held if plan.design == "test" else 0)
    places = np.arange(plan.n_rows if plan.design == "test" else 0, held)
    rng = np.random.default_rng([asked.seed, 11])
    found: Counter[str] = Counter()
    for _ in range(RESAMPLES):
        counts = np.zeros(held, np.int64)
        counts[places] = rng.multinomial(len(places), np.full(len(places), 1 / len(places)))
        found[name(grid.resampled(counts))] += 1
    shares = {entry: n / RESAMPLES for entry, n in found.most_common()}
    case = case_of(plan, lines, grid, asked, accounts, draws=_DRAWS)
    repeats = range(0, plan.folds * plan.repeats, plan.folds)
    several = plan.repeats > 1 and plan.design == "cv"
    without = [name(grid.without(range(at, at + plan.folds))) for at in repeats] if several else []
    lines_left = within_limits(finished(case)).lines
    return Firmness(
        shares, tuple(without), _information(plan, lines_left, cells, grid, asked.prior)
    )


def _information(
    plan: Plan,
    lines: Sequence[Line],
    cells: Sequence[Cell],
    grid: Grid,
    with_prior: bool,
) -> Information | None:
    """The value of further repeats and of further rows, simplicity left aside.

    Args:
        plan: The comparison's.
        lines: What there is to choose among, the limits kept.
        cells: All cells.
        grid: The same as arrays.
        with_prior: Whether other data sets count.
    """
    lines = [line for line in lines if line.entry.strategy != "random"]
    if len(lines) < 2:
        return None
    names = [line.entry.name for line in lines]
    right = _by_repeat(plan, [grid.of(line.entry.name, line.size) for line in lines])
    choice, _ = weighed(plan, lines, grid, with_prior, _DRAWS)
    if right is None or choice is None:
        return None
    means = choice.means
    parts = two_way(right - right.mean(axis=0))
    is_exhausted = plan.design == "test"
    seconds, hour = _repeat_seconds(plan, cells, names), None
    more = int(_HOUR / seconds) if seconds > 0 and not is_exhausted else 0
    if parts.draws is not None and not is_exhausted:
        hour = _worth(means, parts.draws * more / (parts.n_draws + more))
    return Information(
        repeats=more,
        hour=hour,
        is_exhausted=is_exhausted,
        rows=_worth(means, parts.rows / 2),
        perfect=float(choice.regret.min()),
    )


def _worth(means: Floats, learned: Floats) -> float:
    """How much higher the highest of the means is expected to be once so much is learned."""
    values, _ = expected_regret(means, learned, float("inf"), draws=4000)
    return float(values[int(np.argmax(means))])


def _by_repeat(plan: Plan, found: Sequence[Mapping[int, Outcome]]) -> Floats | None:
    """(m, D, n) right or wrong of each entry in each repeat, rows in one order; None if ragged."""
    whole = []
    folds = 1 if plan.design == "test" else plan.folds
    for first in range(0, folds * plan.repeats, folds):
        wanted = range(first, first + folds)
        if not all(index in own for own in found for index in wanted):
            continue
        by_entry = []
        for own in found:
            outcomes = [own[index] for index in wanted]
            places = np.concatenate([outcome.places for outcome in outcomes])
            right = np.concatenate([outcome.right for outcome in outcomes])
            by_entry.append(right[np.argsort(places)])
        whole.append(by_entry)
    return np.array(whole, np.float64).transpose(1, 0, 2) if whole else None


def _repeat_seconds(plan: Plan, cells: Sequence[Cell], names: Sequence[str]) -> float:
    """Seconds of one repeat of all that is weighed, with all rows."""
    own = [x for x in cells if x.entry in names and x.size is None and not x.problem]
    each = [x.fit_seconds + x.predict_seconds for x in own]
    draws = {x.draw for x in own}
    return sum(each) * plan.folds / len(draws) if draws else 0.0


def told(firmness: Firmness, chosen: str) -> list[str]:
    """The firmness in sentences."""
    share = firmness.shares.get(chosen, 0.0)
    others = [
        f"{name or 'nothing'} in {100 * part:.0f}"
        for name, part in firmness.shares.items()
        if name != chosen and part >= 0.05
    ]
    said = [
        f"with other held-out rows of the same kind {chosen} would be recommended in "
        f"{100 * share:.0f} of 100 cases{': ' + ', '.join(others) if others else ''}"
    ]
    if firmness.without:
        other = [name or "nothing" for name in firmness.without if name != chosen]
        said.append(
            f"with any of the {len(firmness.without)} repeats left out it is the same"
            if not other
            else f"with one of the {len(firmness.without)} repeats left out it would be "
            f"{', '.join(sorted(set(other)))}"
        )
    if firmness.information is not None:
        said.append(_information_told(firmness.information))
    return said


def _information_told(known: Information) -> str:
    if known.is_exhausted:
        hour = "more compute can tell nothing more about this choice"
    elif known.hour is None:
        hour = "what more compute is worth one repeat does not tell (--seeds 3 would)"
    elif not known.repeats:
        hour = "an hour of compute is not enough for another repeat"
    else:
        hour = (
            f"another hour of compute ({known.repeats:,} more repeats) is worth "
            f"{100 * known.hour:.1f} points to this choice"
        )
    return (
        f"{hour}; twice as many held-out rows are worth {100 * known.rows:.1f} points to it, and "
        f"certainty {100 * known.perfect:.1f}"
    )
