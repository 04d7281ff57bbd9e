import pytest

from promptkit.report.figures import decimal, duration, metric_name, rate, rows, size, span
from promptkit.types import Score


def test_decimals_and_missing_numbers() -> None:
    assert [decimal(0.12345), decimal(None), decimal(float("nan"))] == ["0.123", "–", "–"]


def test_an_interval_has_two_ends_or_is_missing() -> None:
    assert span(Score("accuracy", 0.5, 0.25, 0.75, 10)) == "0.250 to 0.750"
    assert span(Score("accuracy", 0.5, None, None, 10)) == "–"


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 * 2**30, "3.0 GiB"), (2**41, "2.0 TiB")],
)
def test_sizes(n_bytes: int, text: str) -> None:
    assert size(n_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.256, "0.26 s"), (12.34, "12.3 s"), (754, "12 min 34 s"), (7300, "2 h 1 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_rates_and_counts() -> None:
    assert [rate(1234, 1), rate(10, 4), rate(1, 0)] == ["1,234", "2.5", "–"]
    assert [rows(0), rows(1), rows(1200)] == ["0 rows", "1 row", "1,200 rows"]


def test_the_majority_baseline_says_which_label_and_whence() -> None:
    assert metric_name("majority_of_train", "x") == "most frequent label of train (x)"
    assert metric_name("majority_of_golds", "x") == "most frequent label of these rows (x)"
    assert metric_name("accuracy", "x") == "accuracy"
    assert metric_name("bleu") == "bleu"
