"""What instruction tuning gives a model on a task and on templates that it never learned.

    python bench/instruct.py BASE [--seeds 3] [--out FOLDER]

BASE is the pre-trained model (examples/pocket). For each seed the mixture of `examples/pocket` is
learned without the tasks about sentiment, and without those about intents; each model is then asked
without any demonstration about in-box test rows of just that kind, through the templates in the
box, beside BASE itself and the most frequent label.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from promptkit.prompts import find_template
from promptkit.runs.instruct import instruct, read_mixture
from promptkit.strategies.language_tuning import LanguageOptions

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "examples" / "pocket"))
from card import IN_BOX, accuracy, rows_of  # noqa: E402

#: Data set in the box, what is kept from the mixture, and the templates that are tried.
KEPT_APART = {
    "customer_reviews": (
        ("product_reviews", "app_reviews", "service_feedback", "film_opinions", "feedback"),
        ("sentiment_zero_shot", "sentiment_chat"),
    ),
    "support_intents": (("bank_requests", "shop_support"), ("intent_zero_shot", "intent_chat")),
    "news_topics": (("news_desk",), ("news_topic_zero_shot", "topic_zero_shot")),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("base")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("instructed"))
    given = parser.parse_args()
    given.out.mkdir(exist_ok=True)
    print("| test rows | template | most frequent | before | after, mean of seeds | each seed |")
    print("|---|---|---:|---:|---:|---|")
    for data, (without, templates) in KEPT_APART.items():
        folder = ROOT / "evals" / "data" / data
        rows = rows_of(folder / "test.jsonl")
        labels = json.loads((folder / "card.json").read_text(encoding="utf-8"))["labels"]
        most = Counter(row.label for row in rows).most_common(1)[0][1] / len(rows)
        models = [tuned(given.base, given.out / f"{data}-{n}", without, n)
                  for n in range(given.seeds)]  # fmt: skip
        for name in templates:
            template = find_template(name).with_labels(labels)
            before = accuracy(template, given.base, rows)
            after = [accuracy(template, model, rows) for model in models]
            each = ", ".join(f"{one:.3f}" for one in after)
            told = f"{most:.3f} | {before:.3f} | {np.mean(after):.3f} | {each}"
            print(f"| {data} | {name} | {told} |", flush=True)


def tuned(base: str, folder: Path, without: tuple[str, ...], seed: int) -> str:
    """The folder of the tuned model; made where it is not there."""
    if not folder.is_dir():
        mixture = read_mixture(ROOT / "examples" / "pocket" / "mixture.yaml", without)
        options = LanguageOptions(
            learning_rate=5e-4, epochs=1, batch_size=32, max_tokens=512, seed=seed
        )
        instruct(mixture, base, folder, options)
    return str(folder)


if __name__ == "__main__":
    assert set(KEPT_APART) <= set(IN_BOX)
    main()
