"""Learning-curve advice against what came: twice the labelled rows, on rows held back.

    python bench/curves.py DATA [--rows 100,200] [--draws 1] [--strategies features,contrastive]

`compare` sees n labelled rows, cross-validates a way at n/8, n/4, n/2 and all of them, and says
what n more will bring. Then the way is adapted with the n rows and with 2n (those and n more), and
both predict the test split: the difference is the gain that came. A case is within the band where
the gain that came is, whose own error over test rows is not part of the band.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from regret import fields_of, read, record

from promptkit.data import split
from promptkit.runs.compare.cells import Bench
from promptkit.runs.compare.engine import run_comparison
from promptkit.runs.compare.growth import advice_for
from promptkit.runs.compare.rows import rows_of
from promptkit.runs.compare.spec import CompareSpec
from promptkit.types import Example

SETS = ("sst2", "cr", "trec", "banking77", "tweet_sentiment")
#: Test rows that are predicted at most.
TEST = 3000


def main() -> None:
    """Print a line for each case, and how many lie within their band."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", default="100,200")
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first draw")
    parser.add_argument("--strategies", default="features")
    parser.add_argument("--data", nargs="+", default=SETS)
    given = parser.parse_args()
    print("| data | way | rows | foretold | 90% band | came | within | advice |")
    print("|---|---|---:|---:|---:|---:|---|---|")
    within = []
    for draw in range(given.first, given.first + given.draws):
        for name in given.data:
            train, test = read(given.folder / name)
            for n in map(int, given.rows.split(",")):
                for strategy in given.strategies.split(","):
                    within.append(case(name, strategy, n, draw, train, test[:TEST]))
    print(f"\n{sum(within)} of {len(within)} within the band.")


def case(
    name: str, strategy: str, n: int, draw: int, train: Sequence[Example], test: Sequence[Example]
) -> bool:
    """One line; whether it is within."""
    more, _ = split(train, 2 * n / len(train), draw)
    rows, _ = split(more, 0.5, draw)
    known = {row.id for row in rows}
    rest = [row for row in more if row.id not in known]
    asked = CompareSpec(
        data=[record(row) for row in rows],
        fields=fields_of(rows[0]),
        sizes=[n // 8, n // 4, n // 2, None],
        strategies=["majority", strategy],
        seeds=2,
        labels=sorted({row.label for row in train}),
    )
    with tempfile.TemporaryDirectory() as folder:
        found = run_comparison(asked, root=folder, pilot=False)
    entry = next(x for x in found.plan.entries if x.name == strategy)
    advice = advice_for(found.plan, found.growths, entry)
    assert advice is not None
    accuracies = []
    for train_rows in (rows, [*rows, *rest]):
        # more rows may bring labels that the first ones lack, and test rows of them to get right
        whole = asked.model_copy(update={"data": [record(row) for row in train_rows]})
        bench = Bench(rows_of(whole), draw, "auto", "auto")
        made = bench.strategy(entry)
        made.fit(list(train_rows))
        told = made.predict([Example(row.id, row.fields) for row in test])
        right = [one.label == row.label for one, row in zip(told, test, strict=True)]
        accuracies.append(float(np.mean(right)))
    came, gain = accuracies[1] - accuracies[0], advice.gain
    is_within = gain.low <= came <= gain.high
    print(
        f"| {name} | {strategy} | {len(rows)} | {100 * gain.mean:+.1f} | {100 * gain.low:+.1f} to "
        f"{100 * gain.high:+.1f} | {100 * came:+.1f} | {'yes' if is_within else '**no**'} | "
        f"{advice.kind} |",
        flush=True,
    )
    return is_within


if __name__ == "__main__":
    main()
