"""Fine-tuning settings on one draw of training rows: accuracy and seconds of each.

    python bench/tuning.py FOLDER lora:learning_rate=1e-3 full:epochs=6:held_out=0

FOLDER holds train.jsonl and test.jsonl. Settings are to be chosen on other rows of the training
split, which is the default; --split test is for what was chosen.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

from promptkit.strategies import STRATEGIES
from promptkit.strategies.reading import Reading
from promptkit.types import Example


def shuffled(file: Path, seed: int) -> list[Example]:
    lines = file.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    random.Random(seed).shuffle(rows)
    return [
        Example(f"{file.stem}-{i}", {"text": row["text"]}, row["label"])
        for i, row in enumerate(rows)
    ]


def value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("settings", nargs="+", help="STRATEGY or STRATEGY:OPTION=VALUE:...")
    parser.add_argument("--rows", type=int, default=150)
    parser.add_argument("--draw", type=int, default=0)
    parser.add_argument("--tried", type=int, default=500, help="rows to score")
    parser.add_argument("--split", choices=("train", "test"), default="train")
    parser.add_argument("--dtype", default="auto", help="of predictions")
    asked = parser.parse_args()
    every = shuffled(asked.folder / "train.jsonl", asked.draw)
    labels = tuple(sorted({row.label for row in every}))
    train, others = every[: asked.rows], every[asked.rows :]
    if asked.split == "test":
        others = shuffled(asked.folder / "test.jsonl", 0)
    tried = others[: asked.tried]
    for setting in asked.settings:
        name, *pairs = setting.split(":")
        options = {key: value(text) for key, text in (pair.split("=") for pair in pairs)}
        shared = {"labels": labels, "reading": Reading(("text",)), "dtype": asked.dtype}
        strategy = STRATEGIES.build(name, {**shared, **options})
        started = time.perf_counter()
        strategy.fit(train)
        seconds = time.perf_counter() - started
        found = strategy.predict(tried)
        right = sum(p.label == row.label for p, row in zip(found, tried, strict=True))
        print(f"{asked.folder.name} {setting} {right / len(tried):.3f} {seconds:.1f} s")


if __name__ == "__main__":
    main()
