"""What selectors and calibrations change: accuracy and ECE over five draws of training rows.

    python bench/in_context.py calibrations DATA [--model FOLDER] [--rows 300]
    python bench/in_context.py selectors DATA [--model FOLDER] [--rows 300]

DATA is the folder of the reference sets. Each draw takes 300 labelled rows of the train split;
`--rows` tests on so many rows of the test split, drawn by their ids, and not on all.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from promptkit.calibration import CALIBRATORS
from promptkit.chance import ranker
from promptkit.data import split
from promptkit.errors import DataError, PromptkitError
from promptkit.metrics import evaluate
from promptkit.orders import ORDERS
from promptkit.prompts import Template, find_template
from promptkit.protocols import Backend
from promptkit.registry import parameters_of
from promptkit.runs.models import load_backend
from promptkit.selectors import SELECTORS
from promptkit.strategies.calibrated import Calibration
from promptkit.strategies.in_context import InContext
from promptkit.types import Example, Piece
from promptkit.verbalizers import VERBALIZERS

SETS = {
    "sst2": "sentiment_binary_zero_shot",
    "cr": "sentiment_binary_zero_shot",
    "trec": "question_type_zero_shot",
    "banking77": "intent_zero_shot",
    "tweet_sentiment": "tweet_sentiment_zero_shot",
}
LABELLED, DRAWS, SHOTS = 300, 5, 8
#: Name, and what it learns from.
CALIBRATIONS = [
    *((name, "auto") for name in CALIBRATORS),
    ("batch", "evaluated"),
    ("prior_matching", "evaluated"),
    ("prototypical", "evaluated"),
]


def read(folder: Path, part: str) -> list[Example]:
    """The rows of a split that have a text."""
    lines = (folder / f"{part}.jsonl").read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in lines if line]
    return [
        Example(f"{part}-{number}", {"text": row["text"]}, row["label"])
        for number, row in enumerate(rows)
        if row["text"].strip()
    ]


def some(test: Sequence[Example], n: int | None) -> list[Example]:
    """So many test rows, drawn by their ids: files may be sorted by label."""
    rank = ranker(0, "test rows")
    return sorted(test, key=lambda row: rank(row.id))[:n]


def drawn(train: Sequence[Example], seed: int) -> list[Example]:
    """The labelled rows of a draw."""
    return list(split(list(train), LABELLED / len(train), seed)[0])


def backend_for(template: Template, model: str | None, temperature: float | None) -> Backend:
    """The in-box encoder, or a language model in a folder."""
    if model:
        return load_backend("hf", {"model": model})
    encoder = template.keys.encoder
    assert encoder is not None
    return load_backend(
        "embedding",
        {"temperature": temperature or encoder.temperature, "shot_weight": encoder.shot_weight},
    )


class Remembering:
    """An encoder that embeds a text once, however many draws ask."""

    def __init__(self, backend) -> None:
        self.backend = backend

    def encode(self, texts: Sequence[str]):
        return self.backend.vectors([(Piece(text, True),) for text in texts])[0]


def asking(
    template: Template, backend: Backend, selector: str = "none", seed: int = 0,
    calibration: Calibration | None = None, order: str | None = None,
) -> InContext:  # fmt: skip
    options: dict[str, object] = {"seed": seed}
    if "encoder" in parameters_of(SELECTORS.load(selector)):
        options["encoder"] = Remembering(load_backend("embedding", {}))
    return InContext(
        template, backend, SELECTORS.build(selector, options), VERBALIZERS.build("words", {}),
        0 if selector == "none" else SHOTS, calibration,
        ORDERS.build(order, {"seed": seed}) if order else None,
    )  # fmt: skip


def measured(predictions, rows: Sequence[Example], template: Template) -> tuple[float, float]:
    """Accuracy and ECE."""
    golds = [row.label for row in rows]
    report = evaluate(golds, predictions, template.task.labels, resamples=0)
    ece = report.find("ece")
    if ece is None:
        raise DataError("no row could be scored: its prompt is longer than the model reads")
    return report.find("accuracy").value, ece.value


def cell(values: Sequence[tuple[float, float]]) -> str:
    """Mean accuracy, its standard deviation over draws, and mean ECE, in points."""
    if not values:
        return "–"
    accuracy, ece = (100 * np.array(one) for one in zip(*values, strict=True))
    return f"{accuracy.mean():.1f} ± {accuracy.std(ddof=1):.1f} ({ece.mean():.1f})"


def calibrations(template: Template, backend: Backend, train, test, kinds) -> dict[str, str]:
    """Zero-shot, each calibration; the rows are asked once for all of them, but for channel."""
    plain = asking(template, backend).gather(test)
    found = {}
    for name, rows in CALIBRATIONS:
        if kinds and name not in kinds:
            continue
        values = []
        for seed in range(DRAWS):
            calibration = Calibration(name, CALIBRATORS.build(name, {}), {}, rows)
            strategy = asking(template, backend, calibration=calibration)
            try:
                strategy.fit(drawn(train, seed))
                if calibration.calibrator.asks == "channel":
                    evidence = strategy.gather(test)
                else:
                    evidence = strategy.marked(test, plain)
                values.append(measured(strategy.conclude(test, evidence), test, template))
            except PromptkitError as error:
                print(f"<!-- {name}: {error} -->")
                break
            if calibration.calibrator.needs == "nothing" or rows == "evaluated":
                values *= DRAWS  # nothing of it is drawn
                break
        found[name if rows == "auto" else f"{name}, evaluated rows"] = cell(values)
    return found


def selectors(template: Template, backend: Backend, train, test, kinds) -> dict[str, str]:
    """Eight demonstrations, each selector; for a language model each order as well."""
    pairs: list[tuple[str, str | None]] = [
        (name, None) for name in SELECTORS if not kinds or name in kinds
    ]
    if backend.reads == "text" and not kinds:
        pairs += [("balanced", "random"), ("balanced", "interleaved"), ("fixed", "global_entropy")]
    found = {}
    for name, order in pairs:
        values = []
        for seed in range(DRAWS):
            strategy = asking(template, backend, name, seed, order=order)
            try:
                predictions = strategy.fit(drawn(train, seed)).predict(test)
                values.append(measured(predictions, test, template))
            except PromptkitError as error:
                print(f"<!-- {name}: {error} -->")
                break
        found[name if order is None else f"{name}, order {order}"] = cell(values)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("calibrations", "selectors"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--only", default="", help="sets, separated by commas")
    parser.add_argument("--kinds", default="", help="calibrations or selectors, likewise")
    parser.add_argument("--temperature", type=float, help="in place of the template's own")
    given = parser.parse_args()
    columns: dict[str, dict[str, str]] = {}
    for name, called in SETS.items():
        if given.only and name not in given.only.split(","):
            continue
        begun = time.perf_counter()
        train, test = read(given.data / name, "train"), read(given.data / name, "test")
        labels = json.loads((given.data / name / "card.json").read_text())["labels"]
        template = find_template(called).with_labels(labels)
        work = calibrations if given.what == "calibrations" else selectors
        backend = backend_for(template, given.model, given.temperature)
        kinds = [kind for kind in given.kinds.split(",") if kind]
        columns[name] = work(template, backend, train, some(test, given.rows), kinds)
        print(f"<!-- {name}: {time.perf_counter() - begun:.0f} s -->", flush=True)
    print(f"| {given.what[:-1]} | {' | '.join(columns)} |")
    print(f"|---|{'---:|' * len(columns)}")
    for kind in next(iter(columns.values())):
        print(f"| {kind} | {' | '.join(own[kind] for own in columns.values())} |")


if __name__ == "__main__":
    main()
