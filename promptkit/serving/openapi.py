"""The OpenAPI document of one server, its examples made of the model's own fields and labels."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from promptkit.serving.answers import Answers
from promptkit.serving.limits import Limits
from promptkit.serving.refusals import KINDS
from promptkit.serving.served import Served
from promptkit.types import Task

JSON = "application/json"
#: What /predict may refuse a request for; a status of several types is told once.
PREDICT_REFUSALS = (
    "invalid_json",
    "unauthorized",
    "slow_body",
    "body_too_large",
    "too_many_rows",
    "unsupported_media_type",
    "invalid_request",
    "text_too_long",
    "queue_full",
    "loading",
    "stopping",
    "model_unavailable",
    "timeout",
)


def document(
    served: Served, sample: Mapping[str, Any], limits: Limits, with_key: bool
) -> dict[str, Any]:
    """The document.

    Args:
        served: What is served.
        sample: The answer to its sample row, which it gave when it was warmed.
        limits: What is taken.
        with_key: Whether a key is asked for.
    """
    card = served.card
    components: dict[str, Any] = {"schemas": _schemas(served, limits)}
    if with_key:
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    guarded: dict[str, Any] = {"security": [{"key": []}]} if with_key else {}
    refusals = ["loading", "stopping", "model_unavailable", *(["unauthorized"] if with_key else [])]
    told = {"description": "What is served.", "content": {JSON: {"schema": {"type": "object"}}}}
    html = {"description": "A page.", "content": {"text/html": {"schema": {"type": "string"}}}}
    metrics = {"description": "Text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"promptkit: {served.name}",
            "version": version("promptkit"),
            "description": _described(card),
        },
        "paths": {
            "/predict": {"post": {**_predict(served, sample, with_key), **guarded}},
            "/": {"get": {**_get("What is served.", told, refusals), **guarded}},
            "/healthz": {"get": _status("Whether the process is well.", "ok", "broken")},
            "/readyz": {"get": _status("Whether rows are taken.", "ready", "loading or stopping")},
            "/metrics": {"get": _get("Counters for Prometheus.", metrics, [])},
            "/openapi.json": {"get": {**_get("This document.", told, refusals), **guarded}},
            "/docs": {"get": {**_get("This document as a page.", html, refusals), **guarded}},
        },
        "components": components,
    }


def _described(card: Mapping[str, Any]) -> str:
    task = card["task"]
    labels = ", ".join(map(str, task["labels"])) or "none that all rows share"
    return (
        f"One model, {card['model']} (hash {card['hash']}), strategy {card['strategy']}. Task: "
        f"{task['kind']}; fields: {', '.join(task['fields'])}; labels: {labels}."
    )


def _predict(served: Served, sample: Mapping[str, Any], with_key: bool) -> dict[str, Any]:
    row, key = served.sample, served.predictor.key[:16]
    asks: dict[str, Any] = {
        "one row": {"value": {"row": row}},
        "several rows": {"value": {"rows": [{**row, "id": "first"}, {**row, "id": "second"}]}},
    }
    if len(row) == 1 and isinstance(next(iter(row.values())), str):
        asks["a text alone"] = {"value": {"row": next(iter(row.values()))}}
    several = [{"id": name, **sample} for name in ("first", "second")]
    says = {
        "one row": {"value": {"answer": dict(sample), "model": key}},
        "several rows": {"value": {"answers": several, "model": key}},
    }
    kinds = [kind for kind in PREDICT_REFUSALS if with_key or kind != "unauthorized"]
    return {
        "summary": "Answers to rows.",
        "description": "A row that cannot be answered has a problem in place of a label.",
        "operationId": "predict",
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": _ref("Request"), "examples": asks}},
        },
        "responses": {
            "200": {
                "description": "An answer to each row, in their order.",
                "content": {JSON: {"schema": _ref("Response"), "examples": says}},
            },
            **_refusals(kinds),
        },
    }


def _schemas(served: Served, limits: Limits) -> dict[str, Any]:
    task, names = served.predictor.template.task, served.reader.columns
    row = {"anyOf": [_ref("Row"), {"type": "string"}]} if len(task.fields) == 1 else _ref("Row")
    prompt = {"type": "boolean", "default": False, "description": "Tell what the model reads too."}
    answers = {"type": "array", "items": _ref("Answer")}
    model = {"type": "string", "description": "The hash of what answered."}
    return {
        "Row": {
            "type": "object",
            "description": (
                "The fields that the model reads. Further columns are left aside; an id is given "
                "back. A row without a field, or with an empty one, has a problem as its answer."
            ),
            "properties": {names[name]: _field(task, name) for name in task.fields},
        },
        "Request": {
            "oneOf": [
                _object({"row": row, "prompt": prompt}, ["row"]),
                _object(
                    {
                        "rows": {"type": "array", "items": row, "maxItems": limits.rows},
                        "prompt": prompt,
                    },
                    ["rows"],
                ),
            ]
        },
        "Answer": _answer(task, served.answers),
        "Response": {
            "oneOf": [
                _object({"answer": _ref("Answer"), "model": model}, ["answer", "model"]),
                _object({"answers": answers, "model": model}, ["answers", "model"]),
            ]
        },
        "Error": _object(
            {
                "error": _object(
                    {"type": {"enum": list(KINDS)}, "message": {"type": "string"}},
                    ["type", "message"],
                )
            },
            ["error"],
        ),
        "Status": _object({"status": {"type": "string"}}, ["status"]),
    }


def _field(task: Task, name: str) -> dict[str, Any]:
    texts = {"type": "array", "items": {"type": "string"}}
    if name == task.choices:
        return {**texts, "description": "What is chosen from: two or more, all different."}
    if name == task.words:
        words = "A list of words, or a text that is parted at its blanks."
        return {"anyOf": [texts, {"type": "string"}], "description": words}
    return {"type": "string"}


def _answer(task: Task, answers: Answers) -> dict[str, Any]:
    share = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
    nothing = {"type": "null"}
    known: dict[str, Any] = {
        "id": {"type": ["string", "integer"], "description": "The row's own, where it has one."},
        "label": {
            "anyOf": [_label(task), nothing],
            "description": "Null where there is a problem: never a guess.",
        },
        "probabilities": {
            "anyOf": [{"type": "object", "additionalProperties": share}, nothing],
            "description": "By label; null where the model gives none.",
        },
        "abstained": {
            "type": ["boolean", "null"],
            "description": "Whether it is not sure enough; null where no threshold was chosen.",
        },
        "threshold": {
            "type": ["number", "null"],
            "description": "What the probability of the label has to be above.",
        },
        "label_set": {
            "anyOf": [{"type": "array", "items": {"type": "string"}}, nothing],
            "description": "Holds the right label as often as was asked for.",
        },
        "reply": {"type": ["string", "null"], "description": "What the model wrote."},
        "agreement": {**share, "description": "Share of several samples that say the label."},
        "cut_chars": {"type": "integer", "description": "Characters left out, so that it fits."},
        "problem": {"type": ["string", "null"], "description": "Why there is no label."},
        "prompt": {"type": "object", "description": "What the model reads, before it is cut."},
    }
    kept = [*answers.keys, "id", "prompt"]
    return _object({key: known[key] for key in known if key in kept}, list(answers.keys))


def _label(task: Task) -> dict[str, Any]:
    if task.kind == "rate":
        return {"type": "number"}
    if task.kind in ("multilabel", "tag"):
        return {"type": "array", "items": {"enum": list(task.labels)}}
    if task.kind == "classify":
        return {"enum": list(task.labels)}
    return {"type": "string"}


def _get(summary: str, answer: Mapping[str, Any], refusals: list[str]) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": dict(answer), **_refusals(refusals)}}


def _status(summary: str, good: str, bad: str) -> dict[str, Any]:
    content = {JSON: {"schema": _ref("Status")}}
    return {
        "summary": summary,
        "responses": {
            "200": {"description": good, "content": content},
            "503": {"description": bad, "content": content},
        },
    }


def _refusals(kinds: list[str]) -> dict[str, Any]:
    """Statuses, each with the types that come with it."""
    by_status: dict[int, list[str]] = {}
    for kind in kinds:
        by_status.setdefault(KINDS[kind][0], []).append(kind)
    return {
        str(status): {
            "description": " ".join(f"{kind}: {KINDS[kind][1]}" for kind in own),
            "content": {JSON: {"schema": _ref("Error")}},
        }
        for status, own in sorted(by_status.items())
    }


def _object(properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": required,
        "additionalProperties": False,
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
