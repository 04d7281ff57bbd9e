"""Made-up runs for the tests of reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from rich.console import Console, RenderableType

from promptkit.metrics import evaluate
from promptkit.types import Cost, Prediction, RunRecord, RunSpec, Scalar, Value


def record(
    labels: Sequence[Scalar] = ("negative", "neutral", "positive"),
    n: int = 300,
    *,
    seed: int = 0,
    accuracy: float = 0.7,
    shots: int = 0,
    texts: Sequence[str] | None = None,
    unscored: int = 0,
    **changes: Any,
) -> RunRecord:
    """A run whose predictions are right about as often as ``accuracy`` says."""
    rng = np.random.default_rng(seed)
    k = len(labels)
    gold = rng.integers(k, size=n)
    z = rng.normal(size=(n, k))
    z[np.arange(n), np.where(rng.random(n) < accuracy, gold, rng.integers(k, size=n))] += 4
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    predictions = tuple(
        Prediction(f"row-{i}", None, None, "cosine", problem="the prompt does not fit")
        if i < unscored
        else Prediction(
            f"row-{i}",
            labels[int(log_p[i].argmax())],
            tuple(log_p[i].tolist()),
            "cosine",
        )
        for i in range(n)
    )
    golds: tuple[Value | None, ...] = tuple(labels[i] for i in gold)
    values: dict[str, Any] = {
        "spec": RunSpec(
            data={"name": "customer_reviews", "split": "test", "n": n},
            template={"name": "sentiment_zero_shot", "hash": "ab12"},
            backend={"name": "embedding", "model": "sentence-transformers/all-MiniLM-L6-v2"},
            strategy={"name": "in_context", "shots": shots, "selector": {"name": "nearest"}},
            seed=seed,
        ),
        "labels": tuple(labels),
        "golds": golds,
        "texts": tuple(texts or (f"I bought it in week {i} and it broke." for i in range(n))),
        "predictions": predictions,
        "report": evaluate(golds, predictions, tuple(labels), resamples=200),
        "cost": Cost(
            seconds=12.34,
            rows=n,
            prompt_tokens=45_678,
            computed_tokens=51_234,
            peak_bytes=1_610_612_736,
        ),
        "packages": {"numpy": "2.3.5"},
        "notes": ("the labels neutral and mixed were joined",),
        "origin": {"data": "in the box"},
    }
    return RunRecord(**(values | changes))


def choosing(n: int = 3) -> RunRecord:
    """A run over rows with choices of their own; the last of its rows is unscored."""
    predictions = (
        *(
            Prediction(f"q{i}", 1, (-np.log(4), -np.log(4 / 3)), "log-probability")
            for i in range(n)
        ),
        Prediction("unscored", None, None, problem="no evidence"),
    )
    golds = (*([0, 1] * n)[:n], 0)
    report = evaluate(golds, predictions, (), resamples=50)
    return replace(record(n=n + 1), labels=(), golds=golds, predictions=predictions, report=report)


def printed(what: RenderableType, width: int = 80) -> str:
    """What a pipe of that width receives."""
    console = Console(width=width, force_terminal=False, no_color=True)
    with console.capture() as captured:
        console.print(what)
    return captured.get()
