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
}

#: Short names, for the columns of tables that hold many runs.
SHORT_NAMES = NAMES | {"ece": "ECE", "brier": "Brier", "log_loss": "log loss"}

MISSING = "–"


def metric_name(metric: str, majority: str | None = None) -> str:
    """A metric's full name, for the majority baseline with its label."""
    name = NAMES.get(metric, plain(metric))
    if metric.startswith("majority") and majority is not None:
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
