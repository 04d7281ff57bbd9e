"""Three-class customer sentiment with under 500 labels: how long a whole comparison takes.

    python bench/sentiment.py DATA [--out FOLDER]

The in-box `customer_reviews` and 400 rows of `tweet_sentiment`: the ten usual ways and two that are
not, 4 sizes, 3 draws. For each set the plan, the time, the verdict, and how the predicted times of
cells compare with the real ones; the whole report is written beside.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from promptkit.report.comparison_page import comparison_page
from promptkit.runs.compare.engine import run_comparison
from promptkit.runs.compare.nouns import Plan
from promptkit.runs.compare.spec import CompareSpec
from promptkit.runs.compare.working import Watch

SIZES = [8, 32, 100, None]
#: Seconds above which a cell's time is more than the clock's and the system's noise.
NOTICED = 0.2


class Planned(Watch):
    """Keeps the plan as it stood before the first cell."""

    plan: Plan

    def planned(self, plan: Plan) -> None:
        self.plan = plan


def main() -> None:
    """Print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path())
    parser.add_argument("--more", default="", help="further ways, separated by commas")
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    sets = {
        "customer_reviews": {"data": "customer_reviews"},
        "tweet_sentiment": {"data": str(given.folder / "tweet_sentiment"), "limit": 400},
    }
    for name, data in sets.items():
        if given.only in ("", name):
            one(name, CompareSpec(sizes=SIZES, seeds=3, fresh=True, **data), given)


def one(name: str, asked: CompareSpec, given: argparse.Namespace) -> None:
    """One set."""
    from promptkit.runs.compare.entries import OFFERS

    usual = [own for own, offer in OFFERS.items() if offer.default]
    more = [own for own in given.more.split(",") if own]
    asked = asked.model_copy(update={"strategies": [*usual, *more]})
    watch, begun = Planned(), time.monotonic()
    found = run_comparison(asked, root=given.out / "cells", watch=watch)
    took = time.monotonic() - begun
    print(
        f"{name}: {found.plan.n_rows} labelled rows, {len(found.plan.entries)} ways, "
        f"{len(found.cells)} cells, {took / 60:.1f} minutes with the pilot"
    )
    print(found.recommendation.headline)
    times(watch.plan, found.cells)
    (given.out / f"{name}.html").write_text(comparison_page(found), encoding="utf-8")


def times(plan: Plan, cells: object) -> None:
    """How predicted times compare with real ones."""
    real = {(cell.entry, cell.size, cell.draw): cell.seconds for cell in cells}
    pairs = np.array(
        [(x.seconds, real[x.entry.name, x.size, x.draw]) for x in plan.cells if x.seconds]
    )
    ratio = pairs[:, 0] / pairs[:, 1]
    good = (ratio < 1.5) & (ratio > 1 / 1.5)
    long = pairs[:, 1] > NOTICED
    print(
        f"predicted {pairs[:, 0].sum():.0f} s, took {pairs[:, 1].sum():.0f} s; within a factor of "
        f"1.5: {100 * good.mean():.0f}% of {len(pairs)} cells, {100 * good[long].mean():.0f}% of "
        f"the {long.sum()} that took over {NOTICED:g} s"
    )
    for entry in plan.entries:
        own = [
            (x.seconds, real[entry.name, x.size, x.draw], x.n_train)
            for x in plan.cells
            if x.entry is entry and x.seconds
        ]
        worst = max(own, key=lambda one: abs(np.log(one[0] / one[1])), default=None)
        if worst:
            print(f"  {entry.name}: worst {worst[0]:.2f} s for {worst[1]:.2f} s at {worst[2]} rows")


if __name__ == "__main__":
    main()
