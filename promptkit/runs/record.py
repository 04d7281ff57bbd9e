"""A finished run as JSON and back, so that it can be shown again without its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from promptkit.metrics import Report
from promptkit.types import Cost, Prediction, RunRecord, RunSpec, Value


def to_json(record: RunRecord) -> dict[str, Any]:
    """JSON values that `from_json` reads back."""
    return {
        "spec": asdict(record.spec),
        "fingerprint": record.spec.fingerprint(),
        "labels": list(record.labels),
        "golds": [_listed(gold) for gold in record.golds],
        "texts": list(record.texts),
        "predictions": [asdict(prediction) for prediction in record.predictions],
        "report": record.report.to_json(),
        "cost": asdict(record.cost),
        "fit_cost": asdict(record.fit_cost),
        "packages": dict(record.packages),
        "notes": list(record.notes),
        "origin": dict(record.origin),
    }


def from_json(content: Mapping[str, Any]) -> RunRecord:
    """The record that was written, marked as coming from the store."""
    return RunRecord(
        spec=RunSpec(**content["spec"]),
        labels=tuple(content["labels"]),
        golds=tuple(_tupled(gold) for gold in content["golds"]),
        texts=tuple(content["texts"]),
        predictions=tuple(_prediction(one) for one in content["predictions"]),
        report=Report.from_json(content["report"]),
        cost=Cost(**content["cost"]),
        packages=content["packages"],
        notes=tuple(content["notes"]),
        origin=content["origin"],
        from_store=True,
        fit_cost=Cost(**content.get("fit_cost", {})),
    )


def _prediction(content: Mapping[str, Any]) -> Prediction:
    return Prediction(**{key: _tupled(value) for key, value in content.items()})


def _listed(value: Value | None) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
