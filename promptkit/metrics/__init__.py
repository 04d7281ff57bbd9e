"""Metrics: every score with its interval, baselines beside it, unscored rows never guessed."""

from promptkit.metrics.classification import PerClass
from promptkit.metrics.conformal import conformal, set_report
from promptkit.metrics.evaluate import Mistake, Report, evaluate
from promptkit.metrics.label_sets import evaluate_sets
from promptkit.metrics.out_of_scope import auroc, scope_of
from promptkit.metrics.paired import Paired, compare, mcnemar
from promptkit.metrics.ratings import evaluate_ratings
from promptkit.metrics.seeds import Spread, spread
from promptkit.metrics.selective import abstain_threshold, coverage_curve
from promptkit.metrics.tags import evaluate_tags
from promptkit.metrics.written import evaluate_written, metrics_named

__all__ = [
    "Mistake",
    "Paired",
    "PerClass",
    "Report",
    "Spread",
    "abstain_threshold",
    "auroc",
    "compare",
    "conformal",
    "coverage_curve",
    "evaluate",
    "evaluate_ratings",
    "evaluate_sets",
    "evaluate_tags",
    "evaluate_written",
    "mcnemar",
    "metrics_named",
    "scope_of",
    "set_report",
    "spread",
]
