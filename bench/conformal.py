"""Do label sets hold the right label as often as is said, on real rows?

    python -m bench.conformal $DATA     # about five minutes of one core; Markdown

SST-2 and TREC, answered by a template and by features of 300 training rows. For a template the
rows that sets are chosen on and those that they are tried on are drawn from the test split, 20
times. For features a model is fitted for each of 20 draws of 300 training rows; its sets are
chosen on these rows, answered by cross-fitting, and tried on 500 test rows.
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
from promptkit.prompts import find_template
from promptkit.runs.adapt import make_strategy
from promptkit.strategies.cross_fitted import CrossFitted
from promptkit.types import Example

SETS = {"sst2": "movie_sentiment_zero_shot", "trec": "question_type_zero_shot"}
SEEDS, CHOSEN_ON, TRIED_ON = 20, 300, 500
#: Probabilities and golds of the rows that sets are chosen on, and of those they are tried on.
Pair = tuple[tuple[Floats, Ints], tuple[Floats, Ints]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    told = parser.parse_args()
    heads = ("data", "way", "sets", "level", "mean coverage", "lowest", "highest", "spread",
             "expected spread", "mean size", "empty")  # fmt: skip
    print(f"| {' | '.join(heads)} |\n|---|---|---|{'---:|' * (len(heads) - 3)}")
    for name in SETS:
        for way, pairs in (("template", asked), ("features", learned)):
            _print_lines(name, way, list(pairs(told.folder / name, SETS[name])))


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


def learned(folder: Path, template_name: str) -> Iterator[Pair]:
    """Features, fitted anew for every draw of training rows."""
    template, train, test = rows_of(folder, template_name)
    for seed in range(SEEDS):
        rows = drawn(train, seed)
        new = np.random.default_rng(seed).permutation(len(test))[:TRIED_ON]

        def make(seed: int = seed) -> Any:
            options = {"layers": -1, "regularisation": 1.0}
            return make_strategy("features", template=template, options=options, seed=seed)

        crossed = CrossFitted(make, seed=seed).fit(rows)
        tried = [test[place] for place in new]
        yield answers(crossed, rows, template), answers(make().fit(rows), tried, template)


def rows_of(folder: Path, template_name: str) -> tuple[Any, list[Example], list[Example]]:
    """The template with the data's labels, its training rows and its test rows."""
    template = find_template(template_name)
    train, test = (load(str(folder), split=split) for split in ("train", "test"))
    template = template.with_labels(test.labels or ())
    return template, list(train), list(test)


def drawn(rows: list[Example], seed: int) -> list[Example]:
    """So many rows with labels as frequent as in all: sets are for rows of the same kind."""
    places = np.random.default_rng([seed, 1]).permutation(len(rows))[:CHOSEN_ON]
    return [rows[place] for place in places]


def answers(strategy: Any, rows: list[Example], template: Any) -> tuple[Floats, Ints]:
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


if __name__ == "__main__":
    main()
