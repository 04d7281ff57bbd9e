"""The tables of `bench/regret.py report`: what each rule of choosing loses on rows unseen.

The verdict counts what other data sets showed (`promptkit.runs.compare.experience`). A data set is
judged here by figures that were made without it: those in the package know it already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np
from regret import CELLS, FIXED, FIXED_ENTRIES, PLAIN_CONTRASTIVE, Setting, compared, lines_of_file

from promptkit.runs.compare import verdict, weighing
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.draws import cross_validation
from promptkit.runs.compare.experience import WORTH, experience
from promptkit.runs.compare.grid import Grid
from promptkit.runs.compare.nouns import Verdict
from promptkit.runs.compare.rows import rows_of


@dataclass(frozen=True)
class Result:
    """One setting: what was recommended, and how every entry did on the test split."""

    setting: Setting
    comparison: Comparison
    test: dict[str, float]
    verdict: Verdict | None = None

    @property
    def best(self) -> float:
        return max(self.test.values())

    def regret(self, name: str) -> float:
        return self.best - self.test[name]


def best_cross_validated(result: Result) -> str:
    scored = [x for x in result.comparison.lines if x.accuracy and x.entry.name in result.test]
    return max(scored, key=lambda x: (x.accuracy.value, -x.entry.rank)).entry.name


def recommended(result: Result) -> str:
    entry = (result.verdict or result.comparison.recommendation).entry
    return entry.name if entry else "majority"


def judged(results: Sequence[Result], worth: float = WORTH) -> list[Result]:
    """Each result with a verdict by what the *other* data sets showed."""
    found = []
    for result in results:
        others = [other for other in results if other.setting.data != result.setting.data]
        found.append(replace(result, verdict=verdict_by(result, means(others), worth)))
    return found


def means(results: Sequence[Result]) -> dict[str, float]:
    """Mean test accuracy by entry, from whole settings."""
    return _averaged(
        (result.setting.data, name, value)
        for result in results
        for name, value in result.test.items()
    )


def means_without(data: str, out: Path = CELLS) -> dict[str, float]:
    """The same from all that is stored of the other data sets."""
    lines = lines_of_file(out / "tested.jsonl")
    told = ((x["setting"].rsplit("-", 2)[0], x["entry"], x["accuracy"]) for x in lines)
    return _averaged(one for one in told if one[0] != data)


def _averaged(told: Iterable[tuple[str, str, float]]) -> dict[str, float]:
    """Data set, entry, accuracy -> by entry: over the settings of a data set, then over these."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    fixed = {entry.name for entry in FIXED_ENTRIES}
    for data, name, value in told:
        if name not in fixed:
            found[name][data].append(value)
    return {
        name: float(np.mean([np.mean(own) for own in by_data.values()]))
        for name, by_data in found.items()
    }


def verdict_by(result: Result, seen: dict[str, float], worth: float) -> Verdict:
    """The verdict on stored cells with another prior; none where it is worth nothing."""
    found, asked = result.comparison, result.setting.spec
    draws = cross_validation(rows_of(asked).examples, asked.folds, asked.seeds, asked.seed)
    own = partial(experience, seen=seen, worth=worth)
    grid = Grid(found.cells, found.golds, draws)
    with mock.patch.object(weighing, "experience", own):
        return verdict.verdict_of(found.plan, found.lines, grid, asked)


RULES: dict[str, Callable[[Result], str]] = {
    "**compare's recommendation**": recommended,
    "best cross-validated score": best_cross_validated,
    "always last-layer logistic regression": lambda result: FIXED,
    "always contrastive, on rows alone": lambda result: PLAIN_CONTRASTIVE,
    "always contrastive, statements too": lambda result: "contrastive",
    "always features": lambda result: "features",
    "always zero-shot": lambda result: "zero-shot",
}


def results_of(settings: Sequence[Setting], out: Path) -> list[Result]:
    """The settings of which everything is there; nothing is computed."""
    known: dict[str, dict[str, float]] = defaultdict(dict)
    for line in lines_of_file(out / "tested.jsonl"):
        known[line["setting"]][line["entry"]] = line["accuracy"]
    found = []
    for setting in settings:
        test = known.get(setting.name, {})
        if PLAIN_CONTRASTIVE not in test:
            continue
        comparison = compared(setting, out)
        names = {entry.name for entry in comparison.plan.entries}
        names |= {entry.name for entry in FIXED_ENTRIES}
        if names <= test.keys():
            found.append(Result(setting, comparison, {name: test[name] for name in names}))
    return found


def report(settings: Sequence[Setting], out: Path) -> None:
    """Print the tables in Markdown."""
    results = judged(results_of(settings, out))
    print(f"{len(results)} of {len(settings)} settings are there.\n")
    if not results:
        return
    print("| rule | mean regret | 90th percentile | largest | accuracy |")
    print("|---|---:|---:|---:|---:|")
    for name, rule in RULES.items():
        if not all(rule(result) in result.test for result in results):
            continue
        lost = [100 * result.regret(rule(result)) for result in results]
        kept = np.mean([result.test[rule(result)] for result in results])
        print(
            f"| {name} | {np.mean(lost):.2f} | {np.percentile(lost, 90):.2f} | "
            f"{max(lost):.2f} | {kept:.4f} |"
        )
    _by("data", results, lambda result: result.setting.data)
    _by("labelled rows", results, lambda result: result.setting.n)
    _entries(results)


def _by(title: str, results: Sequence[Result], key: Callable[[Result], object]) -> None:
    print(f"\n| {title} | settings | recommended | best cv | last layer | contrastive | choices |")
    print("|---|---:|---:|---:|---:|---:|---|")
    groups: dict[object, list[Result]] = defaultdict(list)
    for result in results:
        groups[key(result)].append(result)
    for name, own in groups.items():
        means = [
            np.mean([100 * result.regret(rule(result)) for result in own])
            for rule in (recommended, best_cross_validated, lambda r: FIXED)
        ]
        contrastive = [100 * r.regret(PLAIN_CONTRASTIVE) for r in own]
        chosen: dict[str, int] = defaultdict(int)
        for result in own:
            chosen[recommended(result)] += 1
        told = ", ".join(f"{n} {name}" for name, n in sorted(chosen.items(), key=lambda x: -x[1]))
        means.append(np.mean(contrastive) if contrastive else float("nan"))
        print(f"| {name} | {len(own)} | {' | '.join(f'{m:.2f}' for m in means)} | {told} |")


def _entries(results: Sequence[Result]) -> None:
    """Mean test accuracy of every entry by data, and how often it is the best one."""
    names = sorted({name for result in results for name in result.test})
    sets = list(dict.fromkeys(result.setting.data for result in results))
    print(f"\n| entry | {' | '.join(sets)} | best in |")
    print(f"|---|{'---:|' * (len(sets) + 1)}")
    for name in names:
        cells = []
        for data in sets:
            own = [r.test[name] for r in results if r.setting.data == data and name in r.test]
            cells.append(f"{np.mean(own):.3f}" if own else "")
        wins = sum(result.test.get(name) == result.best for result in results)
        print(f"| {name} | {' | '.join(cells)} | {wins} |")


def prior(settings: Sequence[Setting], out: Path) -> None:
    """What `promptkit.runs.compare.experience` holds, and the regret by how much it counts."""
    results = results_of(settings, out)
    print(f"{len(results)} of {len(settings)} settings are there.\n")
    for name, value in means(results).items():
        print(f'    "{name}": {value:.3f},')
    print("\n| counts as rows | mean regret | 90th percentile | largest |\n|---:|---:|---:|---:|")
    for worth in (0.0, 10.0, 25.0, 50.0, 100.0, 200.0, 400.0):
        lost = [100 * one.regret(recommended(one)) for one in judged(results, worth)]
        print(
            f"| {worth:g} | {np.mean(lost):.2f} | {np.percentile(lost, 90):.2f} | {max(lost):.2f} |"
        )


def growth(settings: Sequence[Setting], out: Path) -> None:
    """Accuracy on the test split that each entry gains per doubling of its labelled rows."""
    found: dict[tuple[str, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for result in results_of(settings, out):
        for name, value in result.test.items():
            found[name, result.setting.data][result.setting.n].append(value)
    gains: dict[str, dict[str, float]] = defaultdict(dict)
    for (name, data), by_size in found.items():
        if len(by_size) > 1:
            sizes = np.log2(sorted(by_size))
            means = [np.mean(by_size[n]) for n in sorted(by_size)]
            gains[name][data] = float(np.polyfit(sizes, means, 1)[0])
    sets = sorted({data for by_data in gains.values() for data in by_data})
    print(f"| points per doubling | {' | '.join(sets)} | mean |")
    print(f"|---|{'---:|' * (len(sets) + 1)}")
    for name, by_data in sorted(gains.items()):
        cells = [f"{100 * by_data[data]:.1f}" if data in by_data else "" for data in sets]
        print(f"| {name} | {' | '.join(cells)} | {100 * np.mean(list(by_data.values())):.1f} |")
