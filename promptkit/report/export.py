"""Results for other programs: JSON, CSV and Markdown, and predictions row by row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from math import exp
from typing import Any

from promptkit.errors import SpecError, nearest
from promptkit.report.facts import facts_of
from promptkit.report.markdown import as_markdown
from promptkit.report.plain import naming
from promptkit.report.uncertainty import uncertainty_markdown
from promptkit.report.written import csv_text, finite, json_text
from promptkit.runs.uncertainty import Uncertainty
from promptkit.types import Prediction, RunRecord

__all__ = [
    "as_csv",
    "as_format",
    "as_json",
    "as_markdown",
    "predictions_as",
    "predictions_csv",
    "predictions_jsonl",
]

#: Columns of `as_csv`: one line per run and metric.
COLUMNS = (
    "fingerprint",
    "template",
    "model",
    "strategy",
    "data",
    "split",
    "seed",
    "metric",
    "value",
    "low",
    "high",
    "n",
    "n_unscored",
)


#: What a prediction of a model that writes has beside the others.
WRITTEN = ("text", "agreement")


def as_format(
    records: Sequence[RunRecord], format: str, uncertainty: Uncertainty | None = None
) -> str:
    """Records in the format of that name: json, csv or markdown.

    Args:
        records: The runs.
        format: Its name.
        uncertainty: What acting on the uncertainty of the only run brings.

    Raises:
        SpecError: No such format; the message offers the nearest one.
    """
    formats: dict[str, Callable[[Sequence[RunRecord], Uncertainty | None], str]] = {
        "json": as_json,
        "csv": as_csv,
        "markdown": _markdown,
    }
    if format not in formats:
        raise SpecError(f"no format named {format!r}; {nearest(format, formats)}")
    return formats[format](records, uncertainty)


def _markdown(records: Sequence[RunRecord], uncertainty: Uncertainty | None = None) -> str:
    acted = f"\n{uncertainty_markdown(uncertainty)}" if uncertainty else ""
    return as_markdown(records) + acted


def as_json(records: Sequence[RunRecord], uncertainty: Uncertainty | None = None) -> str:
    """A JSON list with one object per run, predictions left out; NaN and infinity are null."""
    listed = [
        {
            "fingerprint": record.spec.fingerprint(),
            "spec": asdict(record.spec),
            "labels": record.labels,
            **record.report.to_json(),
            "cost": asdict(record.cost),
            "fit_cost": asdict(record.fit_cost),
            "packages": dict(record.packages),
            "notes": record.notes,
            "origin": dict(record.origin),
            "from_store": record.from_store,
            **({} if uncertainty is None else {"uncertainty": uncertainty.to_json()}),
        }
        for record in records
    ]
    return json_text(listed, indent=2)


def as_csv(records: Sequence[RunRecord], uncertainty: Uncertainty | None = None) -> str:
    """One line per run and metric, baselines included; an absent or infinite number is empty."""
    lines = []
    for record in records:
        facts = facts_of(record)
        named = {column: getattr(facts, column) for column in COLUMNS[:7]}
        acted = uncertainty.scores if uncertainty else ()
        for score in (*record.report.scores, *record.report.baselines, *acted):
            lines.append(named | finite(asdict(score)))
    return csv_text(COLUMNS, lines)


def predictions_as(record: RunRecord, suffix: str, uncertainty: Uncertainty | None = None) -> str:
    """A run's predictions for a file that ends in ``.csv`` or ``.jsonl``.

    Where the uncertainty is acted on there are ``abstained``, ``label_set`` and ``out_of_scope``.

    Raises:
        SpecError: Another suffix.
    """
    formats = {".csv": predictions_csv, ".jsonl": predictions_jsonl}
    if suffix not in formats:
        raise SpecError(f"no predictions in {suffix!r}; {nearest(suffix, formats)}")
    return formats[suffix](record, uncertainty)


def predictions_csv(record: RunRecord, uncertainty: Uncertainty | None = None) -> str:
    """One line per row: id, gold, predicted, tied, problem, and ``p:<label>`` for each label.

    Rows with choices of their own have one column ``p`` with a JSON list. Of a model that writes
    there are ``text`` and ``agreement`` instead. Gold and predicted are empty where unknown and
    unscored; several right texts are a JSON list. CSV has no types: read the JSONL where 0 and "0"
    differ.
    """
    if facts_of(record).writing:
        columns = ("id", "gold", "predicted", "tied", "problem", *WRITTEN)
        return csv_text(columns, [_flat(line) for line in _predictions(record)])
    name = naming(record.labels)
    labels = [f"p:{name(label)}" for label in record.labels] or ["p"]
    lines = []
    for line, (_, prediction) in zip(_predictions(record), _joined(record), strict=True):
        p = _probabilities(prediction)
        if record.labels:
            line |= dict.fromkeys(labels) if p is None else dict(zip(labels, p, strict=True))
        else:
            line["p"] = json.dumps(p) if p is not None else None
        lines.append(_flat(line))
    acted = uncertainty.columns if uncertainty else {}
    for column, values in acted.items():
        for line, value in zip(lines, values, strict=True):
            line[column] = json.dumps(value) if isinstance(value, tuple) else value
    added = [column for column in acted if column != "gold"]
    return csv_text(("id", "gold", "predicted", *added, "tied", "problem", *labels), lines)


def predictions_jsonl(record: RunRecord, uncertainty: Uncertainty | None = None) -> str:
    """One JSON object per row; as the CSV, with types, and ``p`` as a list in order of labels.

    The labels of ``p`` stand in each line as ``labels``, absent for rows with own choices.
    """
    lines = []
    acted = uncertainty.columns if uncertainty else {}
    for place, (line, (_, prediction)) in enumerate(
        zip(_predictions(record), _joined(record), strict=True)
    ):
        line |= {column: values[place] for column, values in acted.items()}
        if facts_of(record).writing:
            lines.append(json_text(line))
            continue
        line["p"] = _probabilities(prediction)
        if record.labels:
            line["labels"] = record.labels
        lines.append(json_text(line))
    return "".join(lines)


def _predictions(record: RunRecord) -> Iterable[dict[str, Any]]:
    written = WRITTEN if facts_of(record).writing else ()
    for gold, prediction in _joined(record):
        yield {
            "id": prediction.example_id,
            "gold": gold[0]
            if isinstance(gold, tuple) and len(gold) == 1 and not record.labels
            else gold,
            "predicted": prediction.label,
            "tied": prediction.tied,
            "problem": prediction.problem,
            **{name: getattr(prediction, name) for name in written},
        }


def _flat(line: dict[str, Any]) -> dict[str, Any]:
    """A line whose list is JSON, as a cell holds one value."""
    lists = {key: line[key] for key in ("gold", "predicted") if isinstance(line[key], tuple)}
    return line | {key: json.dumps(value, ensure_ascii=False) for key, value in lists.items()}


def _joined(record: RunRecord) -> Iterable[tuple[Any, Prediction]]:
    return zip(record.golds, record.predictions, strict=True)


def _probabilities(prediction: Prediction) -> list[float] | None:
    return None if prediction.log_p is None else [exp(one) for one in prediction.log_p]
