from __future__ import annotations

from typing import Any

import pytest

from promptkit.errors import SpecError
from promptkit.report.amounts import bytes_of, names_of, seconds_of, sizes_of


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90s", 90),
        ("90", 90),
        (90, 90),
        ("30m", 1800),
        ("30 min", 1800),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("0.5h", 1800),
        (".5h", 1800),
        ("1D", 86_400),
    ],
)
def test_times(written: Any, seconds: float) -> None:
    assert seconds_of(written) == seconds


@pytest.mark.parametrize(
    "written",
    [
        "",
        "soon",
        "30x",
        "-5m",
        "0",
        "0m",
        "1h30",
        "m30",
        "5m5m",
        "1,5h",
        "inf",
        "nan",
        0,
        -1,
        1e400,
    ],
)
def test_wrong_times_say_how_to_write_them(written: Any) -> None:
    with pytest.raises(SpecError, match=r"--budget .*: write a time such as 90s, 30m, 2h"):
        seconds_of(written)


@pytest.mark.parametrize(
    ("written", "n_bytes"),
    [
        ("2GiB", 2 * 2**30),
        ("2 gib", 2 * 2**30),
        ("2G", 2 * 2**30),
        ("2GB", 2_000_000_000),
        ("800MiB", 800 * 2**20),
        ("1.5g", 3 * 2**29),
        ("1048576", 2**20),
        (2**20, 2**20),
    ],
)
def test_memory(written: Any, n_bytes: int) -> None:
    assert bytes_of(written) == n_bytes


@pytest.mark.parametrize("written", ["", "much", "2XB", "2GiB1MiB", "0", "-2GiB", 0])
def test_wrong_memory_says_how_to_write_it(written: Any) -> None:
    with pytest.raises(SpecError, match="write a size such as 800MiB or 2GiB"):
        bytes_of(written)


@pytest.mark.parametrize(
    ("written", "sizes"),
    [
        ("0,8,32,all", [0, 8, 32, None]),
        (" 8 , ALL", [8, None]),
        ((0, "8", None), [0, 8, None]),
        ("8,8,all,all", [8, None]),
    ],
)
def test_sizes(written: Any, sizes: list[int | None]) -> None:
    assert sizes_of(written) == sizes


@pytest.mark.parametrize("written", ["", "8,", "eight", "-1", "1.5", [], [True], [8.5]])
def test_wrong_sizes_say_how_to_write_them(written: Any) -> None:
    with pytest.raises(SpecError, match="write 0,8,32,all"):
        sizes_of(written)


def test_names() -> None:
    assert names_of("a, b,") == ["a", "b"]
    assert names_of(("a", " b ")) == ["a", "b"]
    assert names_of("minilm") == ["minilm"]
    assert names_of(None) is None
