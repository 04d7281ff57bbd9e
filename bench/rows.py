"""What each way of transfer is worth at 0, 8, 32 and 128 labelled rows, and what it costs.

    python bench/rows.py [--data FOLDER] [--sets a,b] [--seeds 3] [--out rows.jsonl] [--plot FILE]

The in-box language model `pocket`: asked as it was instructed, with demonstrations, tuned on
answers, with an adapter, and as a whole under a new head; the in-box encoder: asked, its features,
and tuned by contrast. The same rows for all: balanced draws, each within the next larger one. A run
that is stopped goes on with what OUT lacks.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from promptkit.box import box
from promptkit.prompts import Template, find_template
from promptkit.runs.adapt import make_strategy
from promptkit.runs.models import forget_backends
from promptkit.types import Example, label_key

SETS = {
    "customer_reviews": "sentiment_zero_shot",
    "support_intents": "intent_zero_shot",
    "news_topics": "news_topic_zero_shot",
    "sst2": "sentiment_binary_zero_shot",
    "trec": "question_type_zero_shot",
    "banking77": "intent_zero_shot",
}
COUNTS = (0, 8, 32, 128)
TESTED = 400


@dataclass(frozen=True)
class Way:
    """A way of transfer.

    Args:
        name: What the table calls it.
        model: Of the box.
        strategy: Its strategy.
        options: Options of the strategy.
        shots: Demonstrations.
        learns: Whether it needs rows.
    """

    name: str
    model: str
    strategy: str
    options: dict[str, Any] = field(default_factory=dict)
    shots: int = 0
    learns: bool = True


WAYS = (
    Way("pocket, asked", "pocket", "in_context", learns=False),
    Way("pocket, 4 demonstrations", "pocket", "in_context", shots=4),
    Way("pocket, tuned on answers", "pocket", "instruct", {"learning_rate": 3e-4, "epochs": 5}),
    Way("pocket, soft prompt", "pocket", "instruct", {"way": "prompt", "epochs": 5}),
    Way("pocket, LoRA", "pocket", "lora"),
    Way("pocket, full", "pocket", "full"),
    Way("minilm, asked", "minilm", "in_context", learns=False),
    Way("minilm, features", "minilm", "features"),
    Way("minilm, contrastive", "minilm", "contrastive"),
)


def loaded(folder: Path, split: str) -> list[Example]:
    """Rows of a data set that have a text."""
    lines = (folder / f"{split}.jsonl").read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in lines if line]
    return [
        Example(f"{split}-{n}", {"text": row["text"]}, row["label"])
        for n, row in enumerate(rows)
        if str(row["text"]).strip()
    ]


def drawn(rows: Sequence[Example], n: int, seed: int) -> list[Example]:
    """n rows, one label after another; a smaller draw is the beginning of a larger one."""
    draw = random.Random(seed)
    by_label: dict[Any, list[Example]] = {}
    for row in draw.sample(list(rows), len(rows)):
        by_label.setdefault(label_key(row.label), []).append(row)
    labels = draw.sample(sorted(by_label, key=str), len(by_label))
    found: list[Example] = []
    while len(found) < min(n, len(rows)):
        for label in labels:
            if by_label[label] and len(found) < n:
                found.append(by_label[label].pop())
    return found


def measured(
    way: Way, template: Template, train: Sequence[Example], test: Sequence[Example], seed: int
) -> dict[str, Any]:
    """Accuracy on the test rows, and the cost."""
    began = time.perf_counter()
    strategy = make_strategy(
        way.strategy,
        template=template,
        model=way.model,
        options=dict(way.options),
        seed=seed,
        shots=min(way.shots, len(train)),
        selector="nearest" if way.shots else None,
        has_pool=bool(train),
    )
    strategy.fit(list(train))
    fitted = time.perf_counter()
    found = strategy.predict([replace(row, label=None) for row in test])
    right = [label_key(p.label) == label_key(row.label) for p, row in zip(found, test, strict=True)]
    return {
        "accuracy": float(np.mean(right)),
        "fit_s": round(fitted - began, 2),
        "rows_per_s": round(len(test) / (time.perf_counter() - fitted), 1),
        "trained_parameters": strategy.cost.trained_parameters,
    }


def main() -> None:
    """Measure what is not measured yet, then print the table and draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("rows.jsonl"))
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    lines = given.out.read_text().splitlines() if given.out.is_file() else []
    known = {(r["set"], r["way"], r["n"], r["seed"]): r for r in map(json.loads, lines)}
    with given.out.open("a") as out:
        for name in given.sets.split(","):
            inside = box("evals") / "data" / name
            folder = inside if inside.is_dir() else (given.data or Path(".")) / name
            labels = json.loads((folder / "card.json").read_text(encoding="utf-8"))["labels"]
            template = find_template(SETS[name]).with_labels(labels)
            pool = loaded(folder, "train")
            test = random.Random(0).sample(loaded(folder, "test"), len(loaded(folder, "test")))
            for way in WAYS:
                for n in COUNTS:
                    for seed in range(given.seeds if way.learns else 1):
                        key = (name, way.name, n, seed)
                        if key in known or bool(n) != way.learns or n > len(pool):
                            continue
                        rows = drawn(pool, n, seed)
                        found = measured(way, template, rows, test[:TESTED], seed)
                        known[key] = dict(zip(("set", "way", "n", "seed"), key, strict=True))
                        known[key] |= found
                        out.write(json.dumps(known[key]) + "\n")
                        out.flush()
                        print(known[key], flush=True)
                forget_backends()
    table(list(known.values()))
    if given.plot:
        plot(list(known.values()), given.plot)


def means(records: Sequence[dict[str, Any]], **wanted: Any) -> float | None:
    """Mean accuracy of the records that are wanted."""
    found = [r["accuracy"] for r in records if all(r[k] == v for k, v in wanted.items())]
    return float(np.mean(found)) if found else None


def table(records: Sequence[dict[str, Any]]) -> None:
    """A line for each way and number of rows, a column for each data set, then the cost."""
    sets = [name for name in SETS if any(r["set"] == name for r in records)]
    print("\n| way | rows | " + " | ".join(sets) + " | fit, s | rows/s | trained |")
    print("|---|---:|" + "---:|" * (len(sets) + 3))
    for way in WAYS:
        for n in COUNTS:
            own = [r for r in records if r["way"] == way.name and r["n"] == n]
            if not own:
                continue
            cells = [means(own, set=name) for name in sets]
            told = ["–" if cell is None else f"{100 * cell:.1f}" for cell in cells]
            cost = [np.median([r[k] for r in own]) for k in ("fit_s", "rows_per_s")]
            trained = int(np.median([r["trained_parameters"] for r in own]))
            told += [f"{cost[0]:.1f}", f"{cost[1]:.0f}", f"{trained:,}"]
            print(f"| {way.name} | {n} | {' | '.join(told)} |")


def plot(records: Sequence[dict[str, Any]], file: Path) -> None:
    """Accuracy over labelled rows, a panel for each data set."""
    import matplotlib.pyplot as plt

    sets = [name for name in SETS if any(r["set"] == name for r in records)]
    figure, panels = plt.subplots(2, -(-len(sets) // 2), figsize=(11, 6), sharex=True)
    places = {n: at for at, n in enumerate(COUNTS)}
    for panel, name in zip(panels.flat, sets, strict=False):
        for way in WAYS:
            points = [(n, means(records, set=name, way=way.name, n=n)) for n in COUNTS]
            there = [(places[n], 100 * value) for n, value in points if value is not None]
            if there:
                style = "-" if way.model == "pocket" else "--"
                panel.plot(*zip(*there, strict=True), style, marker="o", ms=4, label=way.name)
        panel.set_title(name, fontsize=10)
        panel.set_xticks(list(places.values()), [str(n) for n in COUNTS])
        panel.grid(alpha=0.3)
    figure.supxlabel("labelled rows")
    figure.supylabel("accuracy, %")
    named = panels.flat[0].get_legend_handles_labels()
    figure.legend(*named, loc="outside right upper", fontsize=8)
    figure.set_layout_engine("constrained")
    figure.savefig(file)


if __name__ == "__main__":
    main()
