"""Comparisons of made-up cells, run through everything that a real one goes through."""

import numpy as np

from promptkit.runs.compare.breakdown import Breakdown
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.firmness import firmness_of, told
from promptkit.runs.compare.grid import Grid
from promptkit.runs.compare.growth import advice_for, growths_of
from promptkit.runs.compare.ledger import Prices, accounts_of
from promptkit.runs.compare.lines import final_line, lines_of
from promptkit.runs.compare.nouns import Cell, Draw, Entry, Plan, Planned
from promptkit.runs.compare.spec import CompareSpec
from promptkit.runs.compare.verdict import verdict_of, with_more
from promptkit.runs.compare.work import Work

ZERO = Entry("zero-shot", "in_context", {}, "minilm", 1, fits=False)
CHEAP = Entry("features", "features", {}, "minilm", 2)
DEAR = Entry("full", "full", {}, "minilm", 3)
ENTRIES = (ZERO, CHEAP, DEAR)
LABELS = ("no", "yes")


def comparison(n=90, folds=3, repeats=2, sizes=(8, 16, 32, None), seed=0, prices=None, **asked):
    """Three ways, cross-validated: the dear one is best, and both that learn do so with rows."""
    rng = np.random.default_rng(seed)
    golds = tuple(int(x) for x in rng.integers(0, 2, n))
    draws = []
    for repeat in range(repeats):
        places = rng.permutation(n)
        for fold in range(folds):
            held = tuple(sorted(int(x) for x in places[fold::folds]))
            train = tuple(int(x) for x in places if x not in held)
            draws.append(Draw(repeat * folds + fold, repeat, fold, train, held))
    hard = rng.uniform(size=n)

    def cell(entry, size, draw, held, n_train):
        skill = {"zero-shot": 0.6, "features": 0.75, "full": 0.85}[entry.name]
        skill -= 0.6 / np.sqrt(n_train) if n_train else 0.0
        luck = 0.7 * hard[list(held)] + 0.3 * rng.uniform(size=len(held))
        right = luck < skill
        said = tuple(golds[p] if ok else 1 - golds[p] for p, ok in zip(held, right, strict=True))
        fresh = draw <= 0
        work = Work(10.0 * n_train, 20.0 * n_train, 0.0, 1e9 * n_train) if fresh else None
        row = Work(12.0, 12.0, 0.0, 5e8) if fresh else None
        seconds = {"zero-shot": 0.0, "features": 0.01, "full": 1.0}[entry.name] * n_train
        return Cell(
            entry.name, size, draw, n_train, said, seconds, 0.1, 100, 2**30,
            row_seconds={"zero-shot": 0.03, "features": 0.01, "full": 0.02}[entry.name],
            seconds=seconds + 0.2,
            confidence=tuple(int(x) for x in rng.integers(500, 1000, len(held))),
            fit_work=work, row_work=row, stored_bytes=1000,
        )  # fmt: skip

    cells, planned = [], []
    for entry in ENTRIES:
        if not entry.fits:
            cells.append(cell(entry, 0, -1, range(n), 0))
            planned.append(Planned(entry, 0, -1, 0, n, 1.0))
            continue
        for size in sizes:
            for draw in draws:
                n_train = len(draw.train) if size is None else size
                cells.append(cell(entry, size, draw.index, draw.held, n_train))
                planned.append(Planned(entry, size, draw.index, n_train, len(draw.held), 1.0))
    plan = Plan("made", "cv", n, n, LABELS, folds, repeats, ENTRIES, (0, *sizes), tuple(planned),
                None, 0.1)  # fmt: skip
    spec = CompareSpec(data="made.csv", prices=prices or Prices(), prior=False, **asked)
    lines = tuple(lines_of(plan, cells, golds, draws))
    grid = Grid(cells, golds, draws)
    accounts = accounts_of([final_line(lines, x) for x in ENTRIES], cells, spec.prices)
    growths = growths_of(plan, grid)
    verdict = verdict_of(plan, lines, grid, spec, accounts)
    advice = firmness = None
    if verdict.entry is not None:
        advice = advice_for(plan, growths, verdict.entry)
        firmness = firmness_of(plan, lines, cells, grid, spec, accounts)
        verdict = with_more(verdict, advice, told(firmness, verdict.entry.name))
    texts = tuple(f"text <b>number {i}</b>" for i in range(n))
    return Comparison(
        plan, lines, verdict, tuple(cells), golds, fingerprint="0" * 16, draws=tuple(draws),
        ids=tuple(f"r{i}" for i in range(n)), texts=texts, accounts=accounts, prices=spec.prices,
        growths=growths, advice=advice, firmness=firmness,
        command="promptkit compare --data made.csv",
    )  # fmt: skip


def breakdown(**options):
    """A look into one."""
    return Breakdown(comparison(**options))
