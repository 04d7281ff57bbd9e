"""Parts of speech by frozen layers and by fine-tuning, from 100, 300 and 1,000 sentences.

    python bench/tagging.py DATA [--sizes 100,300] [--ways features,full]

DATA is a folder with train.jsonl and test.jsonl of ``{"tokens": [...], "targets": [{"span1": [i,
i + 1], "label": ...}, ...]}``, one target a word. All test sentences are tagged.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from promptkit.metrics import evaluate_tags
from promptkit.prompts import find_template
from promptkit.runs.adapt import make_strategy
from promptkit.types import Example

WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "majority": ("majority", {}),
    "tfidf": ("tfidf", {}),
    "features, last layer": ("features", {"layers": -1}),
    "features": ("features", {}),
    "lora": ("lora", {}),
    "full": ("full", {}),
}


def sentences(file: Path) -> list[Example]:
    """Sentences of which every word has a tag."""
    found = []
    for n, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
        row = json.loads(line)
        tags = {one["span1"][0]: one["label"] for one in row["targets"]}
        if len(tags) == len(row["tokens"]):
            label = tuple(tags[at] for at in range(len(tags)))
            found.append(Example(f"{file.stem}-{n}", {"tokens": row["tokens"]}, label))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sizes", default="100,300,1000")
    parser.add_argument("--ways", default=";".join(WAYS), help="separated by semicolons")
    given = parser.parse_args()
    train, test = (sentences(given.data / f"{part}.jsonl") for part in ("train", "test"))
    template = find_template("part_of_speech")
    print("| way | sentences | accuracy of words | 95% interval | macro-F1 | fit, s | rows/s |")
    print("|---|---:|---:|---|---:|---:|---:|")
    for name in given.ways.split(";"):
        strategy, options = WAYS[name]
        for size in map(int, given.sizes.split(",")):
            rows = train[:size]
            began = time.perf_counter()
            fitted = make_strategy(strategy, template=template, options=options).fit(rows)
            then = time.perf_counter()
            found = fitted.predict([Example(row.id, row.fields) for row in test])
            rate = len(test) / (time.perf_counter() - then)
            report = evaluate_tags([row.label for row in test], found, template.task.labels)
            score, macro = report.find("word_accuracy"), report.find("macro_f1")
            assert score is not None
            assert macro is not None
            span = f"{score.low:.3f} to {score.high:.3f}"
            layer = getattr(fitted, "fitted_", None)
            told = f"{name} ({layer.view.layers[0]})" if layer else name
            print(
                f"| {told} | {size:,} | {score.value:.3f} | {span} | {macro.value:.3f} "
                f"| {then - began:.1f} | {rate:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
