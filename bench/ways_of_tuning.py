"""Every way of tuning the in-box encoder beside plain fine-tuning: 32 rows of each label.

    python bench/ways_of_tuning.py DATA [--sets sst2,trec] [--seeds 3] [--out ways.jsonl]

DATA holds data sets with train.jsonl and test.jsonl. Texts without labels are 1,000 other rows of
the training split. A run that is stopped goes on with what OUT lacks.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path
from typing import Any

import numpy as np

from promptkit.strategies import STRATEGIES
from promptkit.strategies.reading import Reading
from promptkit.types import Example

PER_LABEL, UNLABELLED, TESTED = 32, 1000, 1000
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "full": ("full", {}),
    "full, layer_decay 0.8": ("full", {"layer_decay": 0.8}),
    "full, gradual unfreezing": ("full", {"unfreeze": "gradual"}),
    "bitfit": ("bitfit", {}),
    "lora": ("lora", {}),
    "peft ia3": ("peft", {"method": "ia3"}),
    "peft vera": ("peft", {"method": "vera"}),
    "two_stage, full": ("two_stage", {"of": "full"}),
    "self_training, full": ("self_training", {"of": "full"}),
    "features": ("features", {}),
}


def loaded(file: Path) -> list[Example]:
    """The rows of a file."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
    return [
        Example(f"{file.stem}-{n}", {"text": row["text"]}, row["label"])
        for n, row in enumerate(rows)
        if row["text"].strip()
    ]


def main() -> None:
    """Measure what is not measured yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", default="sst2,trec")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("ways.jsonl"))
    given = parser.parse_args()
    lines = given.out.read_text().splitlines() if given.out.is_file() else []
    known = {(r["set"], r["way"], r["seed"]): r for r in map(json.loads, lines)}
    sets = given.sets.split(",")
    with given.out.open("a") as out:
        for seed in range(given.seeds):
            for name in sets:
                rows = loaded(given.data / name / "train.jsonl")
                random.Random(seed).shuffle(rows)
                test = loaded(given.data / name / "test.jsonl")
                test = random.Random(0).sample(test, min(TESTED, len(test)))
                labels = tuple(sorted({row.label for row in rows}))
                own = {label: [r for r in rows if r.label == label] for label in labels}
                train = [row for label in labels for row in own[label][:PER_LABEL]]
                taken = {row.id for row in train}
                others = [Example(r.id, r.fields) for r in rows if r.id not in taken]
                for way, (strategy, options) in WAYS.items():
                    if (name, way, seed) in known:
                        continue
                    parts = {"labels": labels, "reading": Reading(("text",)), "seed": seed}
                    if strategy in ("two_stage", "self_training"):
                        parts["unlabelled"] = others[:UNLABELLED]
                    began = time.perf_counter()
                    fitted = STRATEGIES.build(strategy, {**parts, **options}).fit(train)
                    seconds = time.perf_counter() - began
                    found = fitted.predict([Example(r.id, r.fields) for r in test])
                    right = [p.label == r.label for p, r in zip(found, test, strict=True)]
                    record = {"set": name, "way": way, "seed": seed, "n": len(train)}
                    record |= {"accuracy": float(np.mean(right)), "fit_s": round(seconds, 1)}
                    record |= {"trained": fitted.cost.trained_parameters}
                    known[name, way, seed] = record
                    out.write(json.dumps(record) + "\n")
                    out.flush()
                    print(record, flush=True)
    print("\n| way | trained | " + " | ".join(f"{name} | fit, s" for name in sets) + " |")
    print("|---|---:|" + "---:|---:|" * len(sets))
    for way in WAYS:
        cells = []
        for name in sets:
            own = [r for (s, w, _), r in known.items() if (s, w) == (name, way)]
            if own:
                values = [100 * r["accuracy"] for r in own]
                spread = f"{np.mean(values):.1f} ({min(values):.1f} to {max(values):.1f})"
                cells += [spread, f"{np.median([r['fit_s'] for r in own]):.0f}"]
            else:
                cells += ["–", "–"]
        trained = max((r["trained"] for (_, w, _), r in known.items() if w == way), default=0)
        print(f"| {way} | {trained:,} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
