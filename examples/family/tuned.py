"""The models of the family fine-tuned as a whole, beside their frozen features.

    python examples/family/tuned.py DATA FAMILY [--seeds 2] [--out tuned.jsonl]

32 rows of each label (10 of banking77's), 1,000 test rows. A run that is stopped goes on with what
OUT lacks.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np

from promptkit.strategies import STRATEGIES
from promptkit.strategies.reading import Reading
from promptkit.types import Example

SETS = ("sst2", "cr", "trec", "banking77", "tweet_sentiment")
DOMAINS, OBJECTIVES = ("prose", "tasks"), ("causal", "masked", "denoising")
TESTED = 1000


def loaded(file: Path) -> list[Example]:
    """The rows of a file that have a text."""
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
    parser.add_argument("family", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("tuned.jsonl"))
    given = parser.parse_args()
    lines = given.out.read_text().splitlines() if given.out.is_file() else []
    known = {(r["set"], r["seed"], r["model"], r["way"]): r["accuracy"]
             for r in map(json.loads, lines)}  # fmt: skip
    names = [f"{objective}-{domain}" for domain in DOMAINS for objective in OBJECTIVES]
    with given.out.open("a") as out:
        for name in SETS:
            test = loaded(given.data / name / "test.jsonl")
            test = random.Random(0).sample(test, min(TESTED, len(test)))
            for seed in range(given.seeds):
                rows = loaded(given.data / name / "train.jsonl")
                random.Random(seed).shuffle(rows)
                labels = sorted({row.label for row in rows})
                n = 10 if len(labels) > 20 else 32
                train = [
                    row for label in labels for row in [r for r in rows if r.label == label][:n]
                ]
                for model in names:
                    for way in ("features", "full"):
                        key = (name, seed, model, way)
                        if key in known:
                            continue
                        parts = {"labels": labels, "reading": Reading(("text",)), "seed": seed,
                                 "model": str(given.family / model)}  # fmt: skip
                        fitted = STRATEGIES.build(way, parts).fit(train)
                        found = fitted.predict([Example(row.id, row.fields) for row in test])
                        right = [p.label == r.label for p, r in zip(found, test, strict=True)]
                        known[key] = float(np.mean(right))
                        record = dict(zip(("set", "seed", "model", "way"), key, strict=True))
                        out.write(json.dumps(record | {"accuracy": known[key]}) + "\n")
                        out.flush()
                print(name, seed, flush=True)
    print("\n| model | way | " + " | ".join(SETS) + " | mean |")
    print("|---|---|" + "---:|" * (len(SETS) + 1))
    for model in names:
        for way in ("features", "full"):
            cells = [
                float(np.mean([known[name, seed, model, way] for seed in range(given.seeds)]))
                for name in SETS
            ]
            told = " | ".join(f"{100 * one:.1f}" for one in (*cells, float(np.mean(cells))))
            print(f"| {model} | {way} | {told} |")


if __name__ == "__main__":
    main()
