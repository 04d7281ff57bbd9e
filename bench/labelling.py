"""What to label next, and which labels are wrong: how well promptkit says it, on public data.

    python bench/labelling.py next DATA [--data sst2 trec ...] [--ways random auto] [--seeds 5]
    python bench/labelling.py first DATA [--data sst2 trec ...] [--ways random typical] [--seeds 5]
    python bench/labelling.py errors DATA [--data sst2 trec ...] [--rows 400 2000] [--seeds 3]

DATA is a folder with a folder for each data set. ``next`` labels rows of a pool as a person would:
25 drawn ones, then 25 at a time as each way suggests; the classifier is that of the command, and
its accuracy is that on the test rows. ``first`` is the same for rows that are chosen when nothing
is labelled yet. ``errors`` plants wrong labels and looks for them.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold

from promptkit.backends.feature_cache import features_home
from promptkit.backends.hidden import hidden_states
from promptkit.data import load
from promptkit.runs.label_errors import Search
from promptkit.runs.label_errors.confident import suspicious
from promptkit.runs.label_errors.unseen import out_of_fold
from promptkit.runs.label_next import Request, Round, round_of
from promptkit.runs.label_next.models import ask
from promptkit.runs.label_next.ways import pick, resolved
from promptkit.runs.plain import template_for
from promptkit.selectors.copies import copy_key
from promptkit.strategies.linear_heads import one_thread
from promptkit.strategies.reading import Reading
from promptkit.types import Example

SETS = ("sst2", "cr", "trec", "banking77", "tweet_sentiment")
POOL, TEST = 2000, 3000
START, STEP, END = 25, 25, 200
SHOWN = range(50, END + 1, STEP)
FIRST = (25, 50)
#: Share of the labels that are planted wrong.
WRONG = 0.05


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("next", "first", "errors"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", nargs="+", default=SETS)
    parser.add_argument("--ways", nargs="+")
    parser.add_argument("--rows", nargs="+", type=int, default=(400, 2000))
    parser.add_argument("--seeds", type=int)
    options = parser.parse_args()
    {"next": next_rows, "first": first_rows, "errors": planted_errors}[options.what](options)


def next_rows(options: argparse.Namespace) -> None:
    """Accuracy by labelled rows, and the rows that reach what 200 drawn ones do."""
    heads = " | ".join(map(str, SHOWN))
    print(f"| data | way | {heads} | rows that reach 200 drawn ones |")
    print(f"|---|---|{'---:|' * (len(SHOWN) + 1)}")
    for name in options.data:
        pool, test = drawn(options.folder / name)
        goal = None
        for way in options.ways or ("random", "auto"):
            runs = [curve(pool, test, way, seed) for seed in range(options.seeds or 5)]
            mean = np.mean(runs, axis=0)
            error = np.std(runs, axis=0, ddof=1) / np.sqrt(len(runs))
            goal = mean[-1] if goal is None else goal
            reached = [rows for rows, value in zip(SHOWN, mean, strict=True) if value >= goal]
            cells = " | ".join(
                f"{100 * a:.1f} ± {100 * b:.1f}" for a, b in zip(mean, error, strict=True)
            )
            print(f"| {name} | {way} | {cells} | {reached[0] if reached else '–'} |", flush=True)


def first_rows(options: argparse.Namespace) -> None:
    """Accuracy with the first rows, and how many labels they have."""
    heads = " | ".join(f"{n} rows | labels" for n in FIRST)
    print(f"| data | way | {heads} |\n|---|---|{'---:|' * (2 * len(FIRST))}")
    for name in options.data:
        pool, test = drawn(options.folder / name)
        for way in options.ways or ("random", "balanced", "typical", "informative"):
            cells = []
            for n in FIRST:
                runs = [first(pool, test, way, n, seed) for seed in range(options.seeds or 5)]
                right = [100 * share for share, _ in runs]
                error = np.std(right, ddof=1) / np.sqrt(len(runs))
                cells += [f"{np.mean(right):.1f} ± {error:.1f}", f"{np.mean(runs, axis=0)[1]:.1f}"]
            print(f"| {name} | {way} | {' | '.join(cells)} |", flush=True)


def first(
    pool: Sequence[Example], test: Sequence[Example], way: str, n: int, seed: int
) -> tuple[float, int]:
    """Accuracy of what learns from the first n rows, and the labels among them."""
    request, round_ = Request(n, way, seed=seed), round_so_far(pool, test, set())
    asked = ask(round_, request, lambda done, total: None)
    places = pick(resolved(request, asked), asked, round_, request).places
    labelled = {round_.pool[place].id for place in places}
    learned = ask(round_so_far(pool, test, labelled), request, lambda done, total: None)
    assert learned is not None
    labels = {row.label for row in pool if row.id in labelled}
    return accuracy(learned.strategy, test), len(labels)


def drawn(folder: Path) -> tuple[list[Example], list[Example]]:
    """A pool, each text once, and test rows."""
    distinct: dict[str, Example] = {}
    for row in shuffled(rows_of(folder, "train"), 0):
        distinct.setdefault(copy_key(row), row)
    return list(distinct.values())[:POOL], shuffled(rows_of(folder, "test"), 0)[:TEST]


def curve(pool: Sequence[Example], test: Sequence[Example], way: str, seed: int) -> list[float]:
    """Accuracy with 50, 75, ... labelled rows."""
    labelled = {row.id for row in shuffled(pool, seed + 1)[:START]}
    found = []
    while True:
        request = Request(STEP, way, seed=seed)
        round_ = round_so_far(pool, test, labelled)
        asked = ask(round_, request, lambda done, total: None)
        assert asked is not None
        if len(labelled) in SHOWN:
            found.append(accuracy(asked.strategy, test))
        if len(labelled) >= END:
            return found
        places = pick(resolved(request, asked), asked, round_, request).places
        labelled |= {round_.pool[place].id for place in places}


def round_so_far(pool: Sequence[Example], test: Sequence[Example], labelled: set[str]) -> Round:
    """What a person would give: some labels filled in, the names of all known."""
    labels = sorted({row.label for row in [*pool, *test]})
    return round_of(
        "pool",
        template_for(labels, ("text",)),
        [row for row in pool if row.id in labelled],
        [replace(row, label=None) for row in pool if row.id not in labelled],
        {},
        columns=(),
        label_column="label",
        known=True,
    )


def rows_of(folder: Path, split: str) -> list[Example]:
    """The rows of a split that have a text; a few have none."""
    rows = load(folder, split=split).examples
    return [row for row in rows if str(row.fields["text"]).strip()]


def shuffled(rows: Sequence[Example], seed: int) -> list[Example]:
    """The rows in a drawn order."""
    return [rows[place] for place in np.random.default_rng([seed, 11]).permutation(len(rows))]


def accuracy(strategy: Any, test: Sequence[Example]) -> float:
    """Share of rows with the right label."""
    said = strategy.predict(test)
    return float(np.mean([one.label == row.label for one, row in zip(said, test, strict=True)]))


def planted_errors(options: argparse.Namespace) -> None:
    """How many of the planted errors are found, beside cleanlab as its guide uses it."""
    print(
        "| data | rows | average precision: cleanlab | ours | at the number flagged: cleanlab | "
        "ours | recall at the number planted: cleanlab | ours |"
    )
    print(f"|---|---:|{'---:|' * 6}")
    for name in options.data:
        train = rows_of(options.folder / name, "train")
        for n in options.rows:
            seeds = range(options.seeds or 3)
            runs = [found_of(*planted(train, n, seed), seed) for seed in seeds]
            cells = []
            for number in range(3):
                cells += [told([run[who][number] for run in runs]) for who in ("cleanlab", "ours")]
            print(f"| {name} | {n:,} | {' | '.join(cells)} |", flush=True)


def planted(train: Sequence[Example], n: int, seed: int) -> tuple[list[Example], np.ndarray]:
    """Rows of which a share has another label than its own, and which ones."""
    labels = sorted({row.label for row in train})
    rows, chance = shuffled(train, seed)[:n], np.random.default_rng([seed, 13])
    wrong = np.zeros(len(rows), bool)
    wrong[chance.permutation(len(rows))[: round(WRONG * len(rows))]] = True
    for place in np.flatnonzero(wrong):
        others = [label for label in labels if label != rows[place].label]
        rows[place] = replace(rows[place], label=others[chance.integers(len(others))])
    order = sorted(range(len(rows)), key=lambda place: rows[place].id)
    return [rows[place] for place in order], wrong[order]


def found_of(rows: Sequence[Example], wrong: np.ndarray, seed: int) -> dict[str, list[Any]]:
    """Average precision, (precision, recall, flagged), and recall at the number planted."""
    labels = sorted({row.label for row in rows})
    template = template_for(labels, ("text",))
    targets = np.array([labels.index(row.label) for row in rows])
    p, _ = out_of_fold(rows, template, Search(seed=seed), lambda done, total: None)
    plain = plain_out_of_fold(rows, targets, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = (
            find_label_issues(targets, plain, n_jobs=1),
            get_label_quality_scores(targets, plain),
        )
    return {"cleanlab": judged(wrong, *theirs), "ours": judged(wrong, *suspicious(p, targets))}


def plain_out_of_fold(rows: Sequence[Example], targets: np.ndarray, seed: int) -> np.ndarray:
    """Logistic regression over the last layer's mean, in ten stratified folds."""
    texts = [Reading(("text",))(row) for row in rows]
    states = hidden_states("minilm", cache=features_home()).pooled(texts, ["mean"], [-1])
    vectors = states["mean"][:, 0].astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    p = np.zeros((len(rows), targets.max() + 1))
    with warnings.catch_warnings(), one_thread():
        warnings.simplefilter("ignore")  # of labels with fewer rows than folds
        dealt = StratifiedKFold(10, shuffle=True, random_state=seed).split(vectors, targets)
        for inside, outside in dealt:
            model = LogisticRegression(max_iter=1000).fit(vectors[inside], targets[inside])
            p[np.ix_(outside, model.classes_)] = model.predict_proba(vectors[outside])
    return p


def judged(wrong: np.ndarray, flagged: np.ndarray, quality: np.ndarray) -> list[Any]:
    """See `found_of`."""
    hits, first = (flagged & wrong).sum(), np.argsort(quality, kind="stable")[: wrong.sum()]
    return [
        average_precision_score(wrong, -quality),
        (hits / max(flagged.sum(), 1), hits / wrong.sum(), flagged.sum()),
        wrong[first].mean(),
    ]


def told(values: Sequence[Any]) -> str:
    """A mean; of precision, recall and number flagged the three."""
    mean = np.mean(values, axis=0)
    if np.ndim(mean):
        return f"{mean[0]:.2f} / {mean[1]:.2f} ({mean[2]:.0f})"
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{mean:.2f} ± {error:.2f}"


if __name__ == "__main__":
    main()
