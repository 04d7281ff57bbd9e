"""How often intervals hold the truth, and tests find what is not there.

    python -m bench.coverage            # about ten minutes of one core; prints Markdown
    python -m bench.coverage --runs 200 # a first look

"Covers" should be 0.95 and "level" 0.05. The worlds are described in bench/worlds.py. With 2000
runs a figure is good to about 0.01 (two standard errors).
"""

from __future__ import annotations

import argparse
from itertools import combinations, product
from typing import Any

import numpy as np

from bench.worlds import LEARNERS, cross_validated, expected_accuracy, fixed_test
from promptkit.metrics.choice import choice_over_draws, choice_over_folds
from promptkit.metrics.holm import holm
from promptkit.metrics.intervals import Estimate, macro_f1_over_draws, over_draws, over_folds
from promptkit.metrics.paired import mcnemar
from promptkit.metrics.paired_draws import compare_draws, sign_flip
from promptkit.metrics.resampled import corrected_t
from promptkit.metrics.student import Student, quantile
from promptkit.metrics.two_way import two_way

ACCURACY = 0.8


def holds(found: Any, truth: float) -> bool:
    """Whether an interval holds the truth."""
    return found.low <= truth <= found.high


def fixed_test_set(runs: int) -> None:
    """One entry's interval, two equal entries' test, and what pooling all cells would do."""
    print("| rows | draws | shift | covers | of a difference | level | McNemar, pooled |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for n, n_draws, shift in product((50, 200, 1000), (1, 2, 3, 5), (0.0, 0.1, 0.2)):
        rng = np.random.default_rng([n, n_draws, int(100 * shift)])
        seen = []
        for _ in range(runs):
            one, other = fixed_test(rng, [ACCURACY] * 2, n=n, n_draws=n_draws, shift=shift)
            pair = compare_draws(one, other)
            pooled = mcnemar(int((one > other).sum()), int((other > one).sum()))
            covers = holds(over_draws(one), ACCURACY), holds(pair, 0.0)
            seen.append((*covers, pair.p_value <= 0.05, pooled <= 0.05))
        shares = " | ".join(f"{share:.3f}" for share in np.mean(seen, axis=0))
        print(f"| {n} | {n_draws} | {shift} | {shares} |", flush=True)


def several_draws(runs: int) -> None:
    """Ways to test over several draws: how often each finds equal entries and a gap of 0.06."""
    rules = ("satterthwaite", "cochran", "D - 1", "sign flips", "larger p")
    print("| rows | draws | shift | gap | " + " | ".join(rules) + " | width |")
    print("|---:" * (len(rules) + 5) + "|")
    for n, n_draws, shift in product((50, 200, 1000), (2, 3, 5), (0.0, 0.1, 0.2)):
        for gap in (0.0, 0.06):
            rng = np.random.default_rng([n, n_draws, int(100 * shift), int(100 * gap)])
            found = []
            for _ in range(runs // 2):
                one, other = fixed_test(
                    rng, [ACCURACY + gap / 2, ACCURACY - gap / 2], n=n, n_draws=n_draws, shift=shift
                )
                found.append(p_values(one.astype(int), other.astype(int)))
            *tests, width = np.array(found).T
            shares = " | ".join(f"{np.mean(test <= 0.05):.3f}" for test in tests)
            print(
                f"| {n} | {n_draws} | {shift} | {gap} | {shares} | {width.mean():.2f} |", flush=True
            )


def p_values(one: Any, other: Any) -> list[float]:
    """Of the rules of `several_draws`; last, the width of Cochran's interval by Satterthwaite's."""
    cells = one - other
    parts = two_way(cells[None])
    assert parts.draws is not None
    variance, df = parts.total()
    by_row = parts.n - 1, max((parts.rows - parts.both).item(), 0.0)
    by_draw = parts.n_draws - 1, max(parts.draws.item(), parts.both.item())
    below = sum(part**2 / part_df for part_df, part in (by_row, by_draw))
    usual = variance.item() ** 2 / below if below else by_row[0]
    error = float(np.sqrt(variance.item()))
    by_t = [Student(cells.mean(), error, at) for at in (usual, df, by_draw[0])]
    flips, both = sign_flip(cells.sum(axis=0)), compare_draws(one, other).p_value
    wider = quantile(0.975, df) / quantile(0.975, usual)
    return [*(belief.p_value() for belief in by_t), flips, both, wider]


def macro_f1(runs: int) -> None:
    """Three labels, as many rows of each, errors to either side: macro-F1 is accuracy."""
    print("| rows | draws | shift | covers |\n|---:|---:|---:|---:|")
    for n, n_draws, shift in product((60, 300), (1, 3, 5), (0.0, 0.1)):
        rng = np.random.default_rng([n, n_draws, int(100 * shift)])
        seen = []
        for _ in range(runs):
            (right,) = fixed_test(rng, [ACCURACY], n=n, n_draws=n_draws, shift=shift)
            gold = np.arange(n) % 3
            wrong = (gold + rng.integers(1, 3, size=right.shape)) % 3
            found: Estimate = macro_f1_over_draws(
                gold, np.where(right, gold, wrong), 3, resamples=200
            )
            seen.append(holds(found, ACCURACY))
        print(f"| {n} | {n_draws} | {shift} | {np.mean(seen):.3f} |", flush=True)


def folds(runs: int) -> None:
    """One entry's interval and two equal entries' test, with and without the correction."""
    print("| learner | rows | folds x repeats | covers | of a difference | level | uncorrected |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for learner, n, (k, repeats) in product(LEARNERS, (50, 100, 200), ((5, 1), (5, 5), (10, 1))):
        rng = np.random.default_rng([n, k, repeats])
        n_train, n_test = n * (k - 1) // k, n // k
        truth = expected_accuracy(learner, n_train)
        seen = []
        for _ in range(runs):
            accuracies = cross_validated(rng, learner, m=2, n=n, k=k, repeats=repeats)
            differences = accuracies[:, 0] - accuracies[:, 1]
            one = over_folds(accuracies[:, 0], n_train=n_train, n_test=n_test)
            pair = corrected_t(differences, n_train=n_train, n_test=n_test)
            plain = corrected_t(differences, n_train=1e12, n_test=n_test)
            covers = holds(one, truth), holds(pair, 0.0)
            seen.append((*covers, pair.p_value <= 0.05, plain.p_value <= 0.05))
        shares = " | ".join(f"{share:.3f}" for share in np.mean(seen, axis=0))
        print(f"| {learner} | {n} | {k} x {repeats} | {shares} |", flush=True)


def families(runs: int) -> None:
    """Eight equal entries, all 28 pairs: runs in which any pair is found to differ."""
    print("| design | any of 28, raw | any of 28, Holm |\n|---|---:|---:|")
    pairs = list(combinations(range(8), 2))
    for n_draws in (1, 3, 5):
        rng = np.random.default_rng(n_draws)
        seen = []
        for _ in range(runs):
            shift = 0.1 if n_draws > 1 else 0.0
            right = fixed_test(rng, [ACCURACY] * 8, n=200, n_draws=n_draws, shift=shift)
            found = np.array([compare_draws(right[i], right[j]).p_value for i, j in pairs])
            seen.append((found.min() <= 0.05, holm(found).min() <= 0.05))
        raw, kept = np.mean(seen, axis=0)
        print(f"| 200 test rows, {n_draws} draws, shift {shift} | {raw:.3f} | {kept:.3f} |")
    for n, repeats in ((50, 1), (50, 5), (200, 5)):
        rng = np.random.default_rng([n, repeats])
        seen = []
        for _ in range(runs):
            table = cross_validated(rng, "nearest mean", m=8, n=n, k=5, repeats=repeats)
            found = np.array(
                [
                    corrected_t(table[:, i] - table[:, j], n_train=0.8 * n, n_test=0.2 * n).p_value
                    for i, j in pairs
                ]
            )
            seen.append((found.min() <= 0.05, holm(found).min() <= 0.05))
        raw, kept = np.mean(seen, axis=0)
        print(f"| {n} rows, 5 x {repeats} folds | {raw:.3f} | {kept:.3f} |", flush=True)


def regrets(runs: int) -> None:
    """Five entries whose accuracies scatter around 0.8: the loss that is named, and the true one.

    The best-looking entry is chosen, as the one with the smallest named loss always is when there
    is no prior.
    """
    print("| rows | draws | scatter | named loss | true loss |\n|---:|---:|---:|---:|---:|")
    for n, n_draws, scatter in product((100, 500), (1, 3), (0.0, 0.02, 0.05)):
        rng = np.random.default_rng([n, n_draws, int(100 * scatter)])
        seen = []
        for run in range(runs // 2):
            truth = np.clip(rng.normal(ACCURACY, scatter, size=5), 0.5, 0.98)
            right = fixed_test(rng, truth.tolist(), n=n, n_draws=n_draws, shift=0.05)
            found = choice_over_draws(right, seed=run, draws=2000)
            chosen = int(found.regret.argmin())
            seen.append((found.regret[chosen], truth.max() - truth[chosen]))
        named, true = np.mean(seen, axis=0)
        print(f"| {n} | {n_draws} | {scatter} | {named:.4f} | {true:.4f} |", flush=True)
    print("\nFive equal entries by cross-validation (nearest mean): the true loss is 0.\n")
    print("| rows | folds x repeats | named loss |\n|---:|---:|---:|")
    for n, repeats in ((50, 1), (50, 5), (200, 5)):
        rng = np.random.default_rng([n, repeats])
        named_by_folds = []
        for run in range(runs // 4):
            table = cross_validated(rng, "nearest mean", m=5, n=n, k=5, repeats=repeats)
            weighed = choice_over_folds(
                table, n_train=0.8 * n, n_test=0.2 * n, seed=run, draws=2000
            )
            named_by_folds.append(weighed.regret.min())
        print(f"| {n} | 5 x {repeats} | {np.mean(named_by_folds):.4f} |", flush=True)


TABLES = {
    "A fixed test set: accuracy": fixed_test_set,
    "A fixed test set: rules for several draws": several_draws,
    "A fixed test set: macro-F1": macro_f1,
    "Cross-validation": folds,
    "Eight entries": families,
    "The loss of a choice": regrets,
}


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=2000, help="simulated runs of each line")
    parser.add_argument("--only", default="", help="part of a table's title")
    options = parser.parse_args()
    for title, table in TABLES.items():
        if options.only.lower() in title.lower():
            print(f"\n### {title}\n")
            table(options.runs)


if __name__ == "__main__":
    main()
