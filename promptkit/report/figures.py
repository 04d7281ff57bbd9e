"""Numbers and metric names as a reader sees them."""

from __future__ import annotations

from math import isfinite

from promptkit.report.plain import plain, shorten
from promptkit.types import Score

#: Full names; what a reader has to know to read the number stands with it.
NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "ece": "ECE (0 is best)",
    "brier": "Brier score (0 is best, 2 worst)",
    "log_loss": "log loss in nats (0 is best)",
    "majority_of_train": "most frequent label of train",
    "majority_of_golds": "most frequent label of these rows",
    "random": "random guessing",
    "exact_match": "exact match",
    "token_f1": "token F1",
    "rouge_l": "ROUGE-L",
    "number": "right number",
    "constant_of_train": "most frequent answer of train",
    "constant_of_golds": "most frequent answer of these rows",
    "micro_f1": "micro-F1",
    "jaccard": "overlap with the right set",
    "set_of_train": "the labels that fit train best",
    "set_of_golds": "the labels that fit these rows best",
    "agreement": "agreement (kappa, quadratic)",
    "mae": "mean error (0 is best)",
    "mae_of_median": "mean error of the median",
    "rmse": "root mean square error",
    "pearson": "correlation",
    "same_number": "one number for all rows",
    "word_accuracy": "accuracy of words",
    "span_f1": "span F1",
    "span_precision": "span precision",
    "span_recall": "span recall",
    "answered": "rows answered",
    "accuracy_of_answered": "accuracy of answered rows",
    "aurc": "area under risk and coverage (0 is best)",
    "set_coverage": "sets that hold the right label",
    "set_size": "labels of a set, on average",
    "single_sets": "sets of one label",
    "empty_sets": "empty sets",
    "out_of_scope_auroc": "AUROC of rows in and out of scope",
    "false_positive_rate_at_95": "out of scope, kept with 95% in scope (0 is best)",
    "in_scope_kept": "rows in scope, kept",
    "out_of_scope_caught": "rows out of scope, caught",
    "accuracy_with_out_of_scope": "accuracy, out of scope a label",
    "out_of_scope_f1": "F1 of out of scope",
    "acc": "acc (lm-eval)",
    "acc_norm": "acc_norm (lm-eval)",
    "acc_bytes": "acc_bytes (lm-eval)",
    "acc_mutual_info": "acc_mutual_info (lm-eval)",
    "f1": "f1 (lm-eval)",
    "mcc": "mcc (lm-eval)",
    "brier_score": "brier_score (lm-eval, 0 is best)",
}

#: Short names, for the columns of tables that hold many runs.
SHORT_NAMES = NAMES | {"ece": "ECE", "brier": "Brier", "log_loss": "log loss"}

MISSING = "–"


def metric_name(metric: str, majority: str | None = None) -> str:
    """A metric's full name, for the majority baseline with its label."""
    name = NAMES.get(metric, plain(metric))
    if metric.startswith(("majority", "constant")) and majority is not None:
        return f"{name} ({shorten(majority, 24)})"
    return name


def decimal(value: float | None) -> str:
    """Three decimals; a dash where there is no number."""
    return f"{value:.3f}" if value is not None and isfinite(value) else MISSING


def span(score: Score) -> str:
    """The two ends of a score's interval."""
    if score.low is None or score.high is None:
        return MISSING
    return f"{decimal(score.low)} to {decimal(score.high)}"


def rows(n: int) -> str:
    """A number of rows, in words.

    >>> rows(1), rows(1200)
    ('1 row', '1,200 rows')
    """
    return f"{n:,} row" + ("" if n == 1 else "s")


def size(n_bytes: float) -> str:
    """Bytes in the unit that leaves one to four digits.

    >>> size(1536)
    '1.5 KiB'
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if n_bytes < 1024:
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.1f} TiB"


def duration(seconds: float) -> str:
    """Seconds as a person says them.

    >>> duration(12.34), duration(754), duration(7300)
    ('12.3 s', '12 min 34 s', '2 h 1 min')
    """
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2f} s"
    whole = round(seconds)
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def rate(n: int, seconds: float) -> str:
    """Rows a second."""
    if seconds <= 0:
        return MISSING
    per_second = n / seconds
    return f"{per_second:,.0f}" if per_second >= 100 else f"{per_second:.2g}"


def short_time(seconds: float) -> str:
    """Seconds with two or three digits and a unit, for columns of tables.

    >>> short_time(0.0042), short_time(7.25), short_time(754), short_time(7300)
    ('4 ms', '7.2 s', '12.6 min', '2.0 h')
    """
    if seconds < 0.001:
        return "<1 ms"
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.95:
        return f"{seconds:.2f} s" if seconds < 0.995 else f"{seconds:.1f} s"
    minutes = seconds / 60
    return f"{minutes:.1f} min" if minutes < 99.95 else f"{minutes / 60:,.1f} h"


def allowed_time(seconds: float) -> str:
    """A time that somebody chose, without decimals that say nothing.

    >>> allowed_time(1800), allowed_time(90), allowed_time(5400)
    ('30 min', '90 s', '90 min')
    """
    return short_time(seconds).replace(".0 ", " ")


def short_count(n: int) -> str:
    """A number of parameters with at most three digits and a unit.

    >>> short_count(770), short_count(11_264), short_count(22_713_216)
    ('770', '11.3k', '22.7M')
    """
    if n < 1000:
        return str(n)
    value = float(n)
    for unit in ("k", "M"):
        value /= 1000
        if value < 999.5:
            return f"{value:.3g}{unit}"
    return f"{value / 1000:.3g}B"


def p_text(p_value: float | None) -> str:
    """A p-value with three decimals; a dash where there is none.

    >>> p_text(0.0312), p_text(1e-9), p_text(None)
    ('0.031', '<0.001', '–')
    """
    if p_value is None or not isfinite(p_value):
        return MISSING
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"


def signed(value: float | None) -> str:
    """A difference with its sign and three decimals; nothing is lost is ``0.000``.

    >>> signed(-0.0123), signed(-0.0001), signed(None)
    ('-0.012', '0.000', '–')
    """
    if value is None or not isfinite(value):
        return MISSING
    text = f"{value:+.3f}"
    return text[1:] if float(text) == 0 else text
