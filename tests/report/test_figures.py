import pytest

from promptkit.report.figures import (
    allowed_time,
    decimal,
    duration,
    metric_name,
    p_text,
    rate,
    rows,
    short_count,
    short_time,
    signed,
    size,
    span,
)
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


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "<1 ms"),
        (0.0994, "99 ms"),
        (0.0996, "0.10 s"),
        (0.996, "1.0 s"),
        (99.94, "99.9 s"),
        (99.96, "1.7 min"),
        (5999, "1.7 h"),
        (36_000_000, "10,000.0 h"),
    ],
)
def test_times_of_columns_have_few_digits(seconds: float, text: str) -> None:
    assert short_time(seconds) == text


def test_times_that_were_chosen_have_no_empty_decimals() -> None:
    assert [allowed_time(s) for s in (90, 1800, 5400, 7200, 5430)] == [
        "90 s",
        "30 min",
        "90 min",
        "2 h",
        "90.5 min",
    ]


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1k"),
        (11_264, "11.3k"),
        (999_499, "999k"),
        (999_600, "1M"),
        (22_713_216, "22.7M"),
        (7_600_000_000, "7.6B"),
    ],
)
def test_parameters_have_three_digits_and_a_unit(n: int, text: str) -> None:
    assert short_count(n) == text


def test_p_values_and_differences() -> None:
    assert [p_text(p) for p in (0.0, 0.00099, 0.001, 1.0, None, float("nan"))] == [
        "<0.001",
        "<0.001",
        "0.001",
        "1.000",
        "–",
        "–",
    ]
    assert [signed(x) for x in (0.0, -0.0001, 0.05, -0.0123, None)] == [
        "0.000",
        "0.000",
        "+0.050",
        "-0.012",
        "–",
    ]
