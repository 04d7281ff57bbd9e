"""What instruction tuning gives a model on rows, forms of prompts and tasks that it never learned.

    python bench/instruct.py BASE [--seeds 3] [--passes 12] [--data DATA] [--out FOLDER]

BASE is the pre-trained model (examples/pocket). The mixture puts four of pocket's tasks about
customers' feelings in a dozen ways, with the same three words as answers. Asked without a
demonstration, beside BASE and the most frequent label, are in-box test rows (customer_reviews,
which no task contains) in a form that was learned and in forms that never were; opinions of two
labels, on films and in DATA's cr and sst2, which no task is about in these words; and tasks of
another kind, news_topics and support_intents.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from promptkit.prompts import Template, find_template
from promptkit.prompts.task_file import read_task
from promptkit.runs.instruct import instruct, read_mixture
from promptkit.strategies.language_tuning import LanguageOptions
from promptkit.types import Example

ROOT = Path(__file__).parents[1]
TASKS = ROOT / "examples" / "pocket" / "tasks"
sys.path.insert(0, str(ROOT / "examples" / "pocket"))
from card import accuracy, rows_of  # noqa: E402

LEARNED_TASKS = ("feedback", "product_reviews", "app_reviews", "service_feedback")
#: An instruction and a query each; answers are "negative", "neutral" and "positive".
LEARNED = (
    ("Label the sentiment of each text.", "Text: {{ text }}\nLabel:"),
    ("", "{{ text }}\nThe tone of this is"),
    ("Say whether the comment is negative, neutral or positive.", "Comment: {{ text }}\nIt is"),
    ("", "Message: {{ text }}\nIs the message negative, neutral or positive?\nAnswer:"),
    ("Sort what people write by mood.", "{{ text }}\nMood:"),
    ("What does the writer think: negative, neutral, positive?", "Writer: {{ text }}\nOpinion:"),
    ("", "A customer wrote: {{ text }}\nTheir attitude is"),
    ("Negative, positive, or neutral where it is neither.", "{{ text }}\nAnswer:"),
    ("Classify.", "Input: {{ text }}\nOutput:"),
    ("", "{{ text }}\n\nAll in all, these words are"),
    ("Judge the review.", "Review: {{ text }}\nJudgement:"),
    ("Which class does it belong to? negative, neutral, positive", "Note: {{ text }}\nClass:"),
)
NEVER_LEARNED = (
    ("Rate how content the person is.", "Post: {{ text }}\nRating:"),
    ("", "Someone says: {{ text }}\nThis sounds"),
    ("Is this positive, negative or neutral?", "Statement: {{ text }}\nReply:"),
)
FILMS = (
    ("Is the opinion on the film negative or positive?", "Opinion: {{ text }}\nSentiment:"),
    ("", "Review of a film: {{ text }}\nThe reviewer's verdict is"),
)


def ways(forms: Sequence[tuple[str, str]], labels: dict[str, str]) -> list[dict[str, Any]]:
    """Forms as a task file has them; labels by the word that answers."""

    def said() -> dict[str, Any]:
        return {label: {"words": [word]} for label, word in labels.items()}

    made = [{"instruction": i, "query": q, "labels": said()} for i, q in forms]
    return [{key: value for key, value in one.items() if value} for one in made]


def written(folder: Path, task: str, forms: Sequence[tuple[str, str]]) -> Path:
    """A task of pocket's, put in other forms."""
    told = yaml.safe_load((TASKS / task / "task.yaml").read_text(encoding="utf-8"))
    words = {"dissatisfied": "negative", "satisfied": "positive"}
    told["variants"] = ways(forms, {label: words.get(label, label) for label in told["labels"]})
    told["data"] = str(TASKS / task / "rows.jsonl")
    file = folder / task / "task.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")
    return file


def tuned(base: str, folder: Path, seed: int, passes: int) -> str:
    """The folder of the tuned model; made where it is not there."""
    if not folder.is_dir():
        for task in LEARNED_TASKS:
            written(folder.parent / "tasks", task, LEARNED)
        told = {"name": "forms", "tasks": ["tasks/*/task.yaml"], "passes": passes}
        (folder.parent / "mixture.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
        options = LanguageOptions(
            learning_rate=5e-4, epochs=1, batch_size=32, max_tokens=256, seed=seed
        )
        instruct(read_mixture(folder.parent / "mixture.yaml"), base, folder, options)
    return str(folder)


def asked(folder: Path, outside: Path | None) -> list[tuple[str, str, Template, list[Example]]]:
    """What is never learned of each, its rows, the template, and the rows themselves."""
    data = ROOT / "evals" / "data"
    reviews = rows_of(data / "customer_reviews" / "test.jsonl")
    found = []
    kinds = {"the rows": LEARNED[:2], "rows and form": NEVER_LEARNED}
    for told, forms in kinds.items():
        for template in read_task(written(folder / told, "feedback", forms)).templates:
            found.append((told, "customer_reviews", template, reviews))
    for name in ("sentiment_zero_shot", "sentiment_chat"):
        template = find_template(name)
        found.append(("rows and form", f"customer_reviews, {name}", template, reviews))
    films = rows_of(TASKS / "film_opinions" / "rows.jsonl")
    for template in read_task(written(folder / "films", "film_opinions", FILMS)).templates:
        found.append(("task and form", "film_opinions", template, films))
        for name in ("cr", "sst2") if outside else ():
            rows = rows_of(outside / name / "test.jsonl")
            found.append(("task and form", name, template, rows))
    for name, form in (("news_topics", "news_topic_zero_shot"),
                       ("support_intents", "intent_zero_shot")):  # fmt: skip
        labels = json.loads((data / name / "card.json").read_text(encoding="utf-8"))["labels"]
        rows = rows_of(data / name / "test.jsonl")
        found.append(("kind of task", name, find_template(form).with_labels(labels), rows))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("base")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--passes", type=int, default=12)
    parser.add_argument("--data", type=Path, help="the folder of cr and sst2")
    parser.add_argument("--out", type=Path, default=Path("instructed"))
    given = parser.parse_args()
    given.out.mkdir(exist_ok=True)
    models = [
        tuned(given.base, given.out / str(seed), seed, given.passes) for seed in range(given.seeds)
    ]
    print("| never learned | rows asked | most frequent | before | after, mean | each seed |")
    print("|---|---|---:|---:|---:|---|")
    for told, name, template, rows in asked(given.out, given.data):
        most = Counter(row.label for row in rows).most_common(1)[0][1] / len(rows)
        before = accuracy(template, given.base, rows)
        after = [accuracy(template, model, rows) for model in models]
        each = ", ".join(f"{one:.3f}" for one in after)
        told = f"{told} | {name} | {most:.3f} | {before:.3f} | {np.mean(after):.3f} | {each}"
        print(f"| {told} |", flush=True)


if __name__ == "__main__":
    main()
