"""What is known about every entry with all rows, for the rules of the verdict to speak about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from promptkit.metrics.choice import Choice, Prior, choice_over_draws, choice_over_folds
from promptkit.metrics.holm import holm
from promptkit.metrics.rows import Floats
from promptkit.runs.compare.experience import experience
from promptkit.runs.compare.grid import Grid
from promptkit.runs.compare.ledger import Account
from promptkit.runs.compare.lines import difference_between, final_line
from promptkit.runs.compare.nouns import Line, Plan
from promptkit.runs.compare.rules import Case
from promptkit.runs.compare.spec import CompareSpec


def case_of(
    plan: Plan,
    lines: Sequence[Line],
    grid: Grid,
    asked: CompareSpec,
    accounts: Mapping[str, Account] | None = None,
    draws: int = 20_000,
) -> Case:
    """What is known about every entry with all rows.

    Args:
        plan: The comparison's.
        lines: A line for each entry and size.
        grid: The cells.
        asked: For its limits, and whether the prior counts.
        accounts: What entries cost, by name.
        draws: Of the Monte Carlo that weighs them.
    """
    final = [final_line(lines, entry) for entry in plan.entries]
    scored = [line for line in final if line.accuracy is not None]
    names = [line.entry.name for line in scored]
    choice, alone = weighed(plan, scored, grid, asked.prior, draws)
    expected = dict(zip(names, map(float, choice.means), strict=True)) if choice else {}
    loss = dict(zip(names, map(float, choice.regret), strict=True)) if choice else {}
    return Case(
        lines=tuple(final),
        limits=asked.limits,
        loss=loss,
        expected=expected,
        p_value=_p_values(plan, scored, grid, expected),
        accounts=accounts or {},
        measured_alone=alone,
    )


def weighed(
    plan: Plan, scored: Sequence[Line], grid: Grid, with_prior: bool, n: int = 20_000
) -> tuple[Choice | None, bool]:
    """Expected accuracies and losses, on the draws that all have; whether all of it is measured."""
    if not scored:
        return None, True
    found = [grid.of(line.entry.name, line.size) for line in scored]
    common = sorted(set.intersection(*(set(own) for own in found)))
    if not common:
        return None, True
    entries = [line.entry for line in scored]

    def prior(measured: Floats) -> Prior | None:
        return experience(entries, measured) if with_prior else None

    if plan.design == "test":
        cells = np.stack([[own[draw].right for draw in common] for own in found])
        before = prior(cells.mean(axis=(1, 2)))
        return choice_over_draws(cells, prior=before, draws=n), before is None
    # Held-out rows, each the mean over the repeats: five folds would leave four degrees of
    # freedom to a covariance of a dozen entries.
    rows = sorted({int(place) for draw in common for place in found[0][draw].places})
    at = {place: index for index, place in enumerate(rows)}
    right = np.zeros((len(rows), len(found)))
    times = np.zeros(len(rows))
    for draw in common:
        where = [at[int(place)] for place in found[0][draw].places]
        times[where] += 1
        for column, own in enumerate(found):
            right[where, column] += own[draw].right
    right /= times[:, None]
    before = prior(right.mean(axis=0))
    choice = choice_over_folds(right, n_train=np.inf, n_test=1, prior=before, draws=n)
    return choice, before is None


def _p_values(
    plan: Plan, scored: Sequence[Line], grid: Grid, expected: Mapping[str, float]
) -> dict[str, float]:
    """Holm-adjusted p-values against the entry with the highest expected accuracy.

    Only what is worse than the best counts as told apart from it.
    """
    if not expected:
        return {}
    best = max(scored, key=lambda line: (expected[line.entry.name], -line.entry.rank))
    top = grid.of(best.entry.name, best.size)
    found = {}
    for line in scored:
        if line is best:
            continue
        gap = difference_between(plan, grid.of(line.entry.name, line.size), top)
        if gap is not None and gap.error is not None:
            found[line.entry.name] = gap.p_value if gap.mean < 0 else 1.0
    return dict(zip(found, map(float, holm(list(found.values()))), strict=True))
