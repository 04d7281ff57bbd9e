"""What a model can do without a labelled row: accuracy beside majority and the in-box encoder.

    python examples/pocket/card.py [DATA] --model FOLDER

In-box test rows, and the test splits of DATA, a folder of data sets, where it is given.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from promptkit.box import box
from promptkit.prompts import Template, find_template
from promptkit.runs.models import load_backend
from promptkit.selectors import SELECTORS
from promptkit.strategies.in_context import InContext
from promptkit.types import Example
from promptkit.verbalizers import VERBALIZERS

IN_BOX = {
    "customer_reviews": "sentiment_zero_shot",
    "support_intents": "intent_zero_shot",
    "news_topics": "news_topic_zero_shot",
    "entailment": "entailment_zero_shot",
}
REFERENCE = {
    "sst2": "sentiment_binary_zero_shot",
    "cr": "sentiment_binary_zero_shot",
    "trec": "question_type_zero_shot",
    "banking77": "intent_zero_shot",
    "tweet_sentiment": "tweet_sentiment_zero_shot",
}


def rows_of(file: Path) -> list[Example]:
    """The rows of a file that have a text."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
    return [
        Example(f"{file.stem}-{n}", {k: v for k, v in row.items() if k not in ("id", "label")},
                row["label"])
        for n, row in enumerate(rows)
        if str(next(iter(v for k, v in row.items() if k not in ("id", "label")))).strip()
    ]  # fmt: skip


def accuracy(template: Template, model: str, rows: Sequence[Example]) -> float:
    """Share of the rows that are answered rightly; one without an answer is wrong."""
    backend = load_backend("embedding" if model == "minilm" else "hf", {"model": model})
    asking = InContext(
        template, backend, SELECTORS.build("none", {}), VERBALIZERS.build("words", {})
    )
    found = asking.predict([Example(row.id, row.fields) for row in rows])
    return sum(p.label == row.label for p, row in zip(found, rows, strict=True)) / len(rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--model", required=True)
    given = parser.parse_args()
    folders = {name: box("evals") / "data" / name for name in IN_BOX}
    if given.data:
        folders |= {name: given.data / name for name in REFERENCE}
    print("| test rows | n | labels | majority | the model | minilm |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, folder in folders.items():
        rows = rows_of(folder / "test.jsonl")
        labels = json.loads((folder / "card.json").read_text(encoding="utf-8"))["labels"]
        template = find_template({**IN_BOX, **REFERENCE}[name]).with_labels(labels)
        most = Counter(row.label for row in rows_of(folder / "train.jsonl")).most_common(1)[0][0]
        scores = [
            sum(row.label == most for row in rows) / len(rows),
            accuracy(template, given.model, rows),
            accuracy(template, "minilm", rows),
        ]
        told = " | ".join(f"{score:.3f}" for score in scores)
        print(f"| {name} | {len(rows):,} | {len(labels)} | {told} |", flush=True)


if __name__ == "__main__":
    main()
