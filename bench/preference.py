"""What preference tuning does to margins: right answers against wrong ones, before and after.

    python bench/preference.py MODEL [--seeds 3] [--out FOLDER]

MODEL is instructed (`pocket` by default). For each seed it learns the preferences of the mixture of
`examples/pocket`, each row once; then test rows in the box are asked through templates in the box.
The margin is the log-probability of the right label's word minus that of the likeliest wrong one,
in nats.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from promptkit.backends.hf import HFBackend
from promptkit.prompts import Template, find_template
from promptkit.runs.instruct import instruct, read_mixture
from promptkit.strategies.language_tuning import LanguageOptions
from promptkit.types import Example, label_key

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "examples" / "pocket"))
from card import rows_of  # noqa: E402

ASKED = {"customer_reviews": "sentiment_zero_shot", "news_topics": "news_topic_zero_shot"}


def margins(template: Template, model: str, rows: list[Example]) -> tuple[float, float]:
    """Mean margin in nats, and accuracy."""
    backend = HFBackend(model)
    own = [template.candidates(row, "text") for row in rows]
    found = backend.score([template.prompt(row) for row in rows], own)
    values = []
    for row, candidates, evidence in zip(rows, own, found, strict=True):
        right = [label_key(c.label) == label_key(row.label) for c in candidates]
        log_p = np.array(evidence.log_p)
        values.append(log_p[right].max() - log_p[~np.array(right)].max())
    return float(np.mean(values)), float(np.mean(np.array(values) > 0))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", nargs="?", default="pocket")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("preferred"))
    given = parser.parse_args()
    given.out.mkdir(exist_ok=True)
    mixture = read_mixture(
        ROOT / "examples" / "pocket" / "mixture.yaml", ("opposites", "who_is_it")
    )
    mixture = replace(mixture, keys=mixture.keys.model_copy(update={"passes": 1}))
    models = [("before", given.model)]
    for seed in range(given.seeds):
        folder = given.out / str(seed)
        if not folder.is_dir():
            options = LanguageOptions(
                learning_rate=2e-5, epochs=1, batch_size=32, max_tokens=256, seed=seed
            )
            instruct(mixture, given.model, folder, options, beta=0.1)
        models.append((f"after, seed {seed}", str(folder)))
    print("| model | " + " | ".join(f"{name}: margin | accuracy" for name in ASKED) + " |")
    print("|---|" + "---:|---:|" * len(ASKED))
    for told, model in models:
        cells = []
        for name, asked in ASKED.items():
            folder = ROOT / "evals" / "data" / name
            labels = json.loads((folder / "card.json").read_text(encoding="utf-8"))["labels"]
            template = find_template(asked).with_labels(labels)
            margin, accuracy = margins(template, model, rows_of(folder / "test.jsonl"))
            cells.append(f"{margin:.3f} | {accuracy:.3f}")
        print(f"| {told} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
