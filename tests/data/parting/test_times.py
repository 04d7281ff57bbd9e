"""Rows parted by time: the newest are the test, and no time is parted."""

from datetime import datetime

import pytest

from promptkit.data.parting.times import deal_by_time, shown, time_of, times_of
from promptkit.errors import DataError


def test_the_newest_rows_are_the_test_wherever_they_stand():
    parts, spans = deal_by_time([5.0, 1.0, 4.0, 2.0, 3.0], {"train": 3, "test": 2})
    assert parts == ["test", "train", "test", "train", "train"]
    assert spans == {"train": (1.0, 3.0), "test": (4.0, 5.0)}


def test_rows_of_one_time_stay_together_and_the_border_moves_the_least():
    parts, _ = deal_by_time([1, 2, 3, 3, 3, 3, 4, 5, 6, 7], {"train": 7, "test": 3})
    assert parts == ["train"] * 7 + ["test"] * 3
    parts, _ = deal_by_time([1, 2, 3, 4, 5, 6, 6, 6, 6, 7], {"train": 8, "test": 2})
    assert parts == ["train"] * 9 + ["test"]


def test_each_part_has_rows_where_there_are_times_enough():
    sizes = {"train": 8, "validation": 1, "test": 1}
    parts, spans = deal_by_time([1, 2, 2, 2, 2, 2, 2, 2, 2, 3], sizes)
    assert parts == ["train"] + ["validation"] * 8 + ["test"]
    assert list(spans) == ["train", "validation", "test"]
    with pytest.raises(DataError, match="rows have 2 different times, too few"):
        deal_by_time([1] * 5 + [2] * 5, sizes)


def test_what_is_left_out_is_the_oldest():
    parts, spans = deal_by_time([3, 1, 2, 4], {"": 2, "train": 1, "test": 1})
    assert parts == ["train", "", "", "test"]
    assert "" not in spans


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (7, "7"), ("1.5e3", "1500"), ("20240131", "20240131"), ("2024-05-31", "2024-05-31"),
        (" 2024-05-31T14:00:00Z ", "2024-05-31T14:00:00+00:00"), ("2024-W22-5", "2024-05-31"),
    ],
)  # fmt: skip
def test_times_are_numbers_or_iso_dates(value, told):
    assert shown(time_of(value, "here", "t")) == told


@pytest.mark.parametrize("value", ["31.5.2024", "May 31, 2024", "", True, "nan", float("inf"), [1]])
def test_what_is_no_time_is_named_by_its_row(value):
    with pytest.raises(DataError, match=r"rows\.csv line 3: 't' holds .*; a time is a number or"):
        times_of(["2024-01-01", value], ["rows.csv line 2", "rows.csv line 3"], "t")


@pytest.mark.parametrize("other", [3, "2024-01-01T00:00:00+02:00"])
def test_times_of_two_kinds_are_refused(other):
    with pytest.raises(DataError, match=r"line 3: 't' is .* where line 2 has a date without"):
        times_of(["2024-01-01", other], ["line 2", "line 3"], "t")
    assert times_of(["2024-01-01"], ["x"], "t") == [datetime(2024, 1, 1)]
