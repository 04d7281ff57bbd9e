"""How much accuracy the recommendation costs: regret on rows that the comparison never saw.

    python bench/regret.py cells DATA      # compute; killed, it goes on
    python bench/regret.py report DATA     # print the tables
    python bench/regret.py prior DATA      # what other data sets showed
    python bench/regret.py growth DATA     # gains per doubling of the rows

`cells` draws 50, 150 and 300 labelled rows of every data set, 5 times each. `compare` sees these
rows alone, cross-validates, and recommends. Then every entry is adapted with all of these rows and
predicts the whole test split. Regret is the accuracy there of the best entry in hindsight minus
that of the recommended one. Everything is kept in ``bench/regret-cells``, so that the rules of the
verdict can be judged anew without computing anything.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from promptkit.box import box
from promptkit.data import split
from promptkit.runs.compare.cells import Bench
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.engine import run_comparison
from promptkit.runs.compare.keys import entry_name
from promptkit.runs.compare.nouns import Cell, Entry
from promptkit.runs.compare.rows import rows_of
from promptkit.runs.compare.spec import CompareSpec
from promptkit.runs.files import append_text, whole_lines
from promptkit.types import Example

REFERENCE = ("sst2", "cr", "trec", "banking77", "tweet_sentiment")
IN_BOX = ("customer_reviews", "support_intents", "news_topics", "entailment")
#: Where everything is kept.
CELLS = Path(__file__).parent / "regret-cells"
SIZES = (50, 150, 300)
DRAWS = 5
#: Fixed rules that the recommendation must beat; adapted and tested, never compared. Both learn
#: from the rows alone, as peers do.
FIXED = "last-layer logistic regression"
PLAIN_CONTRASTIVE = "contrastive on rows alone"
FIXED_ENTRIES = (
    Entry(FIXED, "features", {"layers": -1, "pooling": "mean", "statements": False}, "minilm", 0),
    Entry(PLAIN_CONTRASTIVE, "contrastive", {"statements": False}, "minilm", 0),
)
#: Folds of the comparison's cross-validation, as many as usual, and how often it is repeated, where
#: 3 is usual: a user's comparison sees its rows from more sides than this one.
FOLDS, SEEDS = 5, 1


@dataclass(frozen=True)
class Setting:
    """A data set, a number of labelled rows, and a draw of them."""

    data: str
    n: int
    draw: int
    labelled: tuple[Example, ...]
    test: tuple[Example, ...]

    @property
    def name(self) -> str:
        return f"{self.data}-{self.n}-{self.draw}"

    @property
    def spec(self) -> CompareSpec:
        """What `compare` is asked: the labelled rows, and nothing of the test split."""
        return CompareSpec(
            data=[record(row) for row in self.labelled],
            fields=fields_of(self.labelled[0]),
            sizes=[None],
            seeds=SEEDS,
            folds=FOLDS,
            strategies=STRATEGIES,
        )


STRATEGIES: list[str] | None = None


def record(row: Example) -> dict[str, object]:
    return {"id": row.id, **row.fields, "label": row.label}


def fields_of(row: Example) -> dict[str, str]:
    return {name: name for name in row.fields}


def settings(folder: Path, sizes: Sequence[int] = SIZES) -> Iterator[Setting]:
    """Every setting; the draws outermost, so that a part of them is a part of everything."""
    sets = {name: read(folder / name) for name in REFERENCE if (folder / name).is_dir()}
    sets |= {name: read(box("evals") / "data" / name) for name in IN_BOX}
    for draw in range(DRAWS):
        for n in sizes:
            for name in sets:
                train, test = sets[name]
                if n >= len(train):  # the whole of it once, in place of the first size too large
                    smaller = [size for size in sizes if size < len(train)]
                    if draw or n != sizes[len(smaller)]:
                        continue
                    yield Setting(name, len(train), 0, tuple(train), tuple(test))
                    continue
                rows, _ = split(train, n / len(train), draw)
                yield Setting(name, n, draw, tuple(rows), tuple(test))


def read(folder: Path) -> tuple[list[Example], list[Example]]:
    """Training and test rows; rows with an empty text, of which cr has four, are left out."""
    parts = []
    for part in ("train", "test"):
        lines = (folder / f"{part}.jsonl").read_text(encoding="utf-8").split("\n")
        rows = [json.loads(line) for line in lines if line]
        examples = []
        for number, row in enumerate(rows):
            fields = {key: value for key, value in row.items() if key not in {"id", "label"}}
            if all(str(value).strip() for value in fields.values()):
                examples.append(Example(row.get("id", f"{part}-{number}"), fields, row["label"]))
        parts.append(examples)
    return parts[0], parts[1]


def compared(setting: Setting, out: Path) -> Comparison:
    """The comparison, from the store where it is there."""
    return run_comparison(setting.spec, root=out, pilot=False)


def compute(setting: Setting, out: Path) -> None:
    """Compare, then adapt every entry with all labelled rows and predict the test split."""
    begun = time.perf_counter()
    comparison = compared(setting, out)
    seconds = time.perf_counter() - begun
    tested(setting, comparison, out)
    chosen = comparison.recommendation.entry
    print(
        f"{setting.name}: compared in {seconds:.0f} s, tested in "
        f"{time.perf_counter() - begun - seconds:.0f} s, recommends "
        f"{chosen.name if chosen else None}",
        flush=True,
    )


def tested(setting: Setting, comparison: Comparison, out: Path) -> dict[str, dict[str, float]]:
    """Each entry's accuracy on the whole test split, by name; what is stored is not computed."""
    file = out / "tested.jsonl"
    known = {(line["setting"], line["key"]): line for line in lines_of_file(file)}
    rows = rows_of(setting.spec)
    bench = Bench(rows, 0, "auto", "auto")
    found = {}
    labels = list(rows.labels)
    for entry in (*comparison.plan.entries, *FIXED_ENTRIES):
        key = entry_name(bench, entry)
        line = known.get((setting.name, key))
        if line is None:
            cell = test_cell(bench, entry, setting)
            right = [
                0 <= place and labels[place] == row.label
                for place, row in zip(cell.predicted, setting.test, strict=True)
            ]
            line = {
                "setting": setting.name,
                "key": key,
                "entry": entry.name,
                "accuracy": float(np.mean(right)),
                "fit_seconds": cell.fit_seconds,
                "predict_seconds": cell.predict_seconds,
                "facts": cell.facts,
            }
            append_text(file, json.dumps(line) + "\n")
        found[entry.name] = line
    return found


def test_cell(bench: Bench, entry, setting: Setting) -> Cell:
    """Fit on all labelled rows, predict the test rows, whose labels stay here."""
    strategy = bench.strategy(entry)
    begun = time.perf_counter()
    strategy.fit(list(bench.rows.labelled) if entry.fits else [])
    fitted = time.perf_counter()
    predictions = strategy.predict([Example(row.id, row.fields) for row in setting.test])
    ended = time.perf_counter()
    places = {label: place for place, label in enumerate(bench.rows.labels)}
    return Cell(
        entry.name, None, 0, len(setting.labelled),
        tuple(-1 if p.label is None else places[p.label] for p in predictions),
        fitted - begun, ended - fitted, facts=str(getattr(strategy, "chosen_", "")),
    )  # fmt: skip


def lines_of_file(file: Path) -> list[dict]:
    return list(whole_lines(file)) if file.is_file() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("cells", "report", "prior", "growth"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=CELLS)
    parser.add_argument("--only", default="", help="data sets, separated by commas")
    parser.add_argument("--strategies", default="", help="entries; the default ones otherwise")
    parser.add_argument("--sizes", default="", help="labelled rows; 50,150,300 otherwise")
    parser.add_argument("--draws", type=int, default=DRAWS)
    given = parser.parse_args()
    global STRATEGIES
    STRATEGIES = given.strategies.split(",") if given.strategies else None
    given.out.mkdir(parents=True, exist_ok=True)
    sizes = tuple(map(int, given.sizes.split(","))) if given.sizes else SIZES
    wanted = [
        setting
        for setting in settings(given.data, sizes)
        if (not given.only or setting.data in given.only.split(",")) and setting.draw < given.draws
    ]
    if given.what == "cells":
        for setting in wanted:
            compute(setting, given.out)
    else:
        import regret_report

        getattr(regret_report, given.what)(wanted, given.out)


if __name__ == "__main__":
    main()
