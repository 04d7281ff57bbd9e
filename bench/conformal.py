"""Do label sets hold the right label as often as is said, on real rows?

    python -m bench.conformal $DATA     # about five minutes of one core; Markdown

SST-2 and TREC, answered by a template and by features of 300 training rows. For a template the
rows that sets are chosen on and those that they are tried on are drawn from the test split, 20
times. For features a model is fitted for each of 20 draws of 300 training rows; its sets are
chosen on these rows, answered by cross-fitting, and tried on 500 others of the train split, and on
500 rows of the test split, which need not be of the same kind.

A second table: of these draws, how many have at least the accuracy that an abstain threshold was
asked for, with its guarantee (0.9 of them should) and without.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from promptkit.data import load
from promptkit.metrics.conformal import Method, conformal, draws_of, set_report
from promptkit.metrics.rows import Floats, Ints
from promptkit.metrics.selective import Goal, abstain_threshold
from promptkit.prompts import find_template
from promptkit.runs.adapt import make_strategy
from promptkit.strategies.cross_fitted import CrossFitted
from promptkit.types import Example

SETS = {"sst2": "movie_sentiment_zero_shot", "trec": "question_type_zero_shot"}
SEEDS, CHOSEN_ON, TRIED_ON, POOL = 20, 300, 500, 2000
#: Probabilities and gold labels of rows.
Answers = tuple[Floats, Ints]
#: Of the rows that are chosen on, and of those that are tried on.
Pair = tuple[Answers, Answers]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    told = parser.parse_args()
    heads = ("data", "way", "sets", "level", "mean coverage", "lowest", "highest", "spread",
             "expected spread", "mean size", "empty")  # fmt: skip
    print(f"| {' | '.join(heads)} |\n|---|---|---|{'---:|' * (len(heads) - 3)}")
    found: dict[tuple[str, str], list[Pair]] = {}
    for name in SETS:
        found[name, "template"] = list(asked(told.folder / name, SETS[name]))
        both = list(learned(told.folder / name, SETS[name]))
        found[name, "features"] = [(chosen, own) for chosen, own, _ in both]
        found[name, "features, test split"] = [(chosen, test) for chosen, _, test in both]
    for (name, way), pairs in found.items():
        _print_lines(name, way, pairs)
    heads = ("data", "way", "wanted", "threshold", "reached", "mean accuracy", "mean answered",
             "nothing answered")  # fmt: skip
    print(f"\n| {' | '.join(heads)} |\n|---|---|---:|---|{'---:|' * (len(heads) - 4)}")
    for (name, way), pairs in found.items():
        _print_abstaining(name, way, pairs)


def asked(folder: Path, template_name: str) -> Iterator[Pair]:
    """A template's answers to the test split, dealt in two."""
    template, _, test = rows_of(folder, template_name)
    strategy = make_strategy("in_context", template=template)
    p, gold = answers(strategy.fit(()), test, template)
    for seed in range(SEEDS):
        order = np.random.default_rng(seed).permutation(len(test))
        n = min(CHOSEN_ON, len(test) // 2)
        first, rest = order[:n], order[n : n + TRIED_ON]
        yield (p[first], gold[first]), (p[rest], gold[rest])


def learned(folder: Path, template_name: str) -> Iterator[tuple[Answers, Answers, Answers]]:
    """Features, fitted anew for every draw of training rows: on these, on others, on test rows."""
    template, train, test = rows_of(folder, template_name)
    pool = [train[place] for place in np.random.default_rng(0).permutation(len(train))[:POOL]]
    for seed in range(SEEDS):
        # labels as frequent as in all: sets are for rows of the same kind
        order = np.random.default_rng([seed, 1]).permutation(len(pool))
        rows = [pool[place] for place in order[:CHOSEN_ON]]
        others = [pool[place] for place in order[CHOSEN_ON : CHOSEN_ON + TRIED_ON]]
        new = [test[p] for p in np.random.default_rng(seed).permutation(len(test))[:TRIED_ON]]

        def make(seed: int = seed) -> Any:
            options = {"layers": -1, "regularisation": 1.0}
            return make_strategy("features", template=template, options=options, seed=seed)

        crossed, whole = CrossFitted(make, seed=seed).fit(rows), make().fit(rows)
        yield (
            answers(crossed, rows, template),
            answers(whole, others, template),
            answers(whole, new, template),
        )


def rows_of(folder: Path, template_name: str) -> tuple[Any, list[Example], list[Example]]:
    """The template with the data's labels, its training rows and its test rows."""
    template = find_template(template_name)
    train, test = (load(str(folder), split=split) for split in ("train", "test"))
    template = template.with_labels(test.labels or ())
    return template, list(train), list(test)


def answers(strategy: Any, rows: list[Example], template: Any) -> Answers:
    """(n, k) probabilities and (n,) places of the gold labels."""
    labels = list(template.task.labels)
    p = np.exp([one.log_p for one in strategy.predict(rows)])
    return p, np.array([labels.index(row.label) for row in rows])


def _print_lines(name: str, way: str, pairs: list[Pair]) -> None:
    methods: tuple[Method, ...] = ("least", "adaptive")
    for method in methods:
        for level in (0.8, 0.9, 0.95):
            found = []
            for seed, ((p, gold), (new, new_gold)) in enumerate(pairs):
                ids = [draws_of([f"{part}{i}" for i in range(len(x))], seed)
                       for part, x in (("a", p), ("b", new))]  # fmt: skip
                rule = conformal(p, gold, level, ids[0], method)
                report = set_report(rule.sets(new, ids[1]), new_gold, range(p.shape[1]))
                found.append((report.coverage.value, report.mean_size, report.n_empty))
            coverage, size, empty = np.array(found).T
            n, m = len(pairs[0][0][1]), len(pairs[0][1][1])
            wanted = np.sqrt(level * (1 - level) * (1 / n + 1 / m))
            print(
                f"| {name} | {way} | {method} | {level} | {coverage.mean():.3f} | "
                f"{coverage.min():.3f} | {coverage.max():.3f} | {coverage.std(ddof=1):.3f} | "
                f"{wanted:.3f} | {size.mean():.2f} | {empty.mean() / m:.3f} |",
                flush=True,
            )


def _print_abstaining(name: str, way: str, pairs: list[Pair], wanted: float = 0.9) -> None:
    goals: tuple[Goal, ...] = ("accuracy", "empirical accuracy")
    for goal in goals:
        found = []
        for (p, gold), (new, new_gold) in pairs:
            line = abstain_threshold(p.max(axis=1), p.argmax(axis=1) == gold, wanted, goal)
            answered = line.answers(new.max(axis=1))
            right = (new.argmax(axis=1) == new_gold)[answered]
            found.append((right.mean() if len(right) else np.nan, answered.mean()))
        accuracy, share = np.array(found).T
        reached = np.isnan(accuracy) | (accuracy >= wanted)
        print(
            f"| {name} | {way} | {wanted} | {goal} | {reached.sum()} of {len(pairs)} | "
            f"{np.nanmean(accuracy):.3f} | {share.mean():.2f} | {np.isnan(accuracy).sum()} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
