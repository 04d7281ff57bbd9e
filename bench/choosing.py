"""Whether scores that need no training foretell accuracy: over layers, and over models.

    python bench/choosing.py DATA [--models minilm,pocket,...] [--seeds 3] [--out choosing.jsonl]

DATA holds sst2, cr, trec, banking77 and tweet_sentiment. For each set, draw and model: every score
of every layer and pooling on the training rows, beside the accuracy on test rows of the classifier
of strategy `features` on just that layer; and the accuracies of its own choices (`auto`, `one`,
`choose`). 32 rows of each label, 10 of the 77 of banking77; 1,000 test rows. A run that is stopped
goes on with what OUT lacks.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from promptkit.backends.hidden import hidden_states
from promptkit.runs.choose import Candidates, choose_among
from promptkit.strategies.features import Features
from promptkit.strategies.reading import Reading
from promptkit.transferability import SCORES, scored
from promptkit.types import Example

SETS = ("sst2", "cr", "trec", "banking77", "tweet_sentiment")
CHOICES = ("auto", "one", "choose", -1)
TESTED, READING = 1000, Reading(("text",))


def loaded(file: Path) -> list[Example]:
    """The rows of a file that have a text."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
    return [
        Example(f"{file.stem}-{n}", {"text": row["text"]}, row["label"])
        for n, row in enumerate(rows)
        if row["text"].strip()
    ]


def accuracy(
    model: str, layers: Any, pooling: str, train: list[Example], test: list[Example]
) -> float:
    """Of frozen features under a logistic regression."""
    labels = tuple(sorted({row.label for row in train}))
    strategy = Features(labels, READING, model=model, layers=layers, pooling=pooling, cache=False)
    found = strategy.fit(train).predict([Example(row.id, row.fields) for row in test])
    return float(np.mean([p.label == row.label for p, row in zip(found, test, strict=True)]))


def measured(model: str, train: list[Example], test: list[Example]) -> dict[str, Any]:
    """Every view of a model, and the choices."""
    states = hidden_states(model)
    labels = sorted({row.label for row in train})
    targets = np.array([labels.index(row.label) for row in train])
    views = []
    for pooling in states.usual_poolings:
        whole = states.pooled([READING(row) for row in train], [pooling])[pooling]
        for layer in range(whole.shape[1]):
            views.append({
                "layer": layer, "pooling": pooling, "scores": scored(whole[:, layer], targets),
                "accuracy": accuracy(model, layer, pooling, train, test),
            })  # fmt: skip
    chosen = {str(one): accuracy(model, one, "choose", train, test) for one in CHOICES}
    return {"views": views, "chosen": chosen}


def main() -> None:
    """Measure what is not measured yet, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--models", default="minilm")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("choosing.jsonl"))
    given = parser.parse_args()
    lines = given.out.read_text().splitlines() if given.out.is_file() else []
    known = {(r["set"], r["seed"], r["model"]): r for r in map(json.loads, lines)}
    models = given.models.split(",")
    with given.out.open("a") as out:
        for name in given.sets.split(","):
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
                lacking = [model for model in models if (name, seed, model) not in known]
                for model in lacking:
                    found = {"set": name, "seed": seed, "model": model}
                    found |= measured(model, train, test)
                    known[name, seed, model] = found
                    out.write(json.dumps(found) + "\n")
                    out.flush()
                if len(models) > 1 and lacking:
                    choice = choose_among(
                        train, labels, READING, Candidates(tuple(models)), origin=name
                    ).chosen
                    found = {"set": name, "seed": seed, "model": "verdict", "of": choice.model,
                             "layer": choice.layer, "pooling": choice.pooling}  # fmt: skip
                    known[name, seed, "verdict"] = found
                    out.write(json.dumps(found) + "\n")
                print(name, seed, flush=True)
    report([one for one in known.values()], models)


def report(records: list[dict[str, Any]], models: list[str]) -> None:
    """The tables."""
    own = [one for one in records if one["model"] in models]
    print("\nover the layers of each model: rank correlation with accuracy, points lost\n")
    print("| score | " + " | ".join(models) + " |")
    print("|---|" + "---:|" * len(models))
    for score in SCORES:
        cells = []
        for model in models:
            mine = [one["views"] for one in own if one["model"] == model]
            together = [correlation(one, score) for one in mine]
            cells.append(
                f"{np.nanmean(together):.2f}, {np.mean([lost(v, score) for v in mine]):.1f}"
            )
        print(f"| {score} | " + " | ".join(cells) + " |")
    print("\nchoices of strategy features: points lost to the best single layer in hindsight\n")
    print("| layers | " + " | ".join(models) + " |")
    print("|---|" + "---:|" * len(models))
    for choice in map(str, CHOICES):
        cells = []
        for model in models:
            behind = [
                100 * (max(v["accuracy"] for v in one["views"]) - one["chosen"][choice])
                for one in own
                if one["model"] == model
            ]
            cells.append(f"{np.mean(behind):.1f}")
        print(f"| {choice} | " + " | ".join(cells) + " |")
    if len(models) > 1:
        over_models(records, models)


def over_models(records: list[dict[str, Any]], models: list[str]) -> None:
    """Which model: by each score's best view, and by the verdict."""
    keys = sorted({(one["set"], one["seed"]) for one in records})
    print("\nover models: rank correlation of best views, points lost by the model named\n")
    print("| by | correlation | points lost, mean | worst |\n|---|---:|---:|---:|")
    for score in [*SCORES, "verdict"]:
        together, behind = [], []
        for key in keys:
            own = {one["model"]: one for one in records if (one["set"], one["seed"]) == key}
            if not all(model in own for model in models):
                continue
            came = [max(v["accuracy"] for v in own[model]["views"]) for model in models]
            if score == "verdict":
                if "verdict" not in own:
                    continue
                told = own["verdict"]
                named = next(
                    v["accuracy"] for v in own[told["of"]]["views"]
                    if (v["layer"], v["pooling"]) == (told["layer"], told["pooling"])
                )  # fmt: skip
            else:
                said = [max(v["scores"][score] for v in own[model]["views"]) for model in models]
                together.append(spearmanr(said, came)[0])
                views = [v for model in models for v in own[model]["views"]]
                named = max(views, key=lambda v: v["scores"][score])["accuracy"]
            behind.append(100 * (max(came) - named))
        if behind:
            related = f"{np.nanmean(together):.2f}" if together else "–"
            print(f"| {score} | {related} | {np.mean(behind):.1f} | {max(behind):.1f} |")


def correlation(views: list[dict[str, Any]], score: str) -> float:
    """Of a score with accuracy, over the layers of the first pooling."""
    first = [v for v in views if v["pooling"] == views[0]["pooling"]]
    found = spearmanr([v["scores"][score] for v in first], [v["accuracy"] for v in first])
    return float(found.statistic)


def lost(views: list[dict[str, Any]], score: str) -> float:
    """Points between the best view and the one that a score ranks first."""
    first = max(views, key=lambda v: v["scores"][score])
    return 100 * (max(v["accuracy"] for v in views) - first["accuracy"])


if __name__ == "__main__":
    main()
