"""Metrics: every score with its interval, baselines beside it, unscored rows never guessed."""

from promptkit.metrics.classification import PerClass
from promptkit.metrics.evaluate import Mistake, Report, evaluate
from promptkit.metrics.paired import Paired, compare, mcnemar
from promptkit.metrics.seeds import Spread, spread
from promptkit.metrics.written import evaluate_written, metrics_named

__all__ = [
    "Mistake",
    "Paired",
    "PerClass",
    "Report",
    "Spread",
    "compare",
    "evaluate",
    "evaluate_written",
    "mcnemar",
    "metrics_named",
    "spread",
]
