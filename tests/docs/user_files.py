"""Files that a reader of the how-tos would have: in-box rows under the names that the pages use."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from promptkit.box import box

#: Rows of each file, so that a page runs in seconds.
N_TRAIN, N_HELD, N_NEW = 60, 24, 6
_SUBJECTS = {
    "price": ("price", "cheap", "expensive", "paid", "money"),
    "delivery": ("parcel", "deliver", "arrived", "courier", "late"),
    "quality": ("broke", "work", "solid", "quality"),
    "service": ("staff", "service", "support", "helpful", "friendly"),
}
_STARS = {"negative": 1, "neutral": 3, "positive": 5}


def write(folder: Path, rows: str, train: str) -> None:
    """Write training rows, ``held_out`` and ``new`` ones.

    Args:
        folder: Where to.
        rows: An in-box data set, or ``subjects``, ``stars`` or ``words`` that are made of some.
        train: What the training file is called; its ending is that of the others.
    """
    learned, others = _splits(rows)
    ending = Path(train).suffix
    bare = [{key: row[key] for key in row if key != "label"} for row in others]
    for name, content in (
        (train, learned[:N_TRAIN]),
        (f"held_out{ending}", others[:N_HELD]),
        (f"new{ending}", bare[:N_NEW]),
    ):
        (_csv if ending == ".csv" else _json_lines)(folder / name, content)


def _splits(rows: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    if rows == "words":
        found = list(_sentences())
        return found[N_HELD:], found[:N_HELD]
    source = {"subjects": "customer_reviews", "stars": "customer_reviews"}.get(rows, rows)
    change = {"subjects": _with_subjects, "stars": _with_stars}.get(rows, _without_id)
    learned, others = (
        [change(json.loads(line)) for line in _lines(source, split)] for split in ("train", "test")
    )
    return learned, others


def _lines(name: str, split: str) -> list[str]:
    path = box("evals") / "data" / name / f"{split}.jsonl"
    return path.read_text(encoding="utf-8").splitlines()


def _without_id(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "id"}


def _with_subjects(row: dict[str, Any]) -> dict[str, Any]:
    text = row["text"].lower()
    own = [name for name, words in _SUBJECTS.items() if any(word in text for word in words)]
    return {"text": row["text"], "label": "; ".join(own)}


def _with_stars(row: dict[str, Any]) -> dict[str, Any]:
    return {"text": row["text"], "label": _STARS[row["label"]]}


def _sentences() -> Iterable[dict[str, Any]]:
    """Sentences of the box with a tag for each word."""
    text = (box("evals") / "probing" / "everyday.conllu").read_text(encoding="utf-8")
    for block in text.strip().split("\n\n"):
        words = [line.split("\t") for line in block.splitlines() if line[:1].isdigit()]
        words = [word for word in words if word[0].isdigit()]
        yield {"tokens": [word[1] for word in words], "label": [word[3] for word in words]}


def _csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _json_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
