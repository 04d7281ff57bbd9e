from __future__ import annotations

import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from promptkit.errors import MissingExtra, SpecError
from promptkit.report.comparison_plot import plot_comparison, spread
from promptkit.report.picture import check_plot
from tests.report.comparisons import comparison, crowded

WAYS = ["majority", "zero-shot", "features", "lora"]


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """A picture's file; tests that use it need matplotlib."""
    pytest.importorskip("matplotlib")
    return tmp_path / "curves.svg"


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_a_picture_is_written(drawn: Path, suffix: str) -> None:
    file = drawn.with_suffix(suffix)
    plot_comparison(comparison(WAYS), file)
    assert file.stat().st_size > 5000


def test_every_entry_has_its_name(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib

    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
    plot_comparison(comparison(WAYS), drawn)
    said = set(re.findall(r">([^<>]+)</text>", drawn.read_text()))
    for name in ("majority", "zero-shot", "features  – recommended", "lora  – best"):
        assert name in said
    assert {"0", "8", "32", "all", "(96)", "customer_reviews"} <= said


def test_a_curve_that_ends_early_says_so(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib

    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
    plot_comparison(crowded(), drawn)
    assert "lora (paraphras…LM-L12-v2)  – ends at 8 rows" in drawn.read_text()


def test_the_same_comparison_gives_the_same_file(drawn: Path) -> None:
    plot_comparison(comparison(WAYS), drawn)
    first = drawn.read_bytes()
    plot_comparison(comparison(WAYS), drawn)
    assert drawn.read_bytes() == first


@pytest.mark.parametrize("names", [["zero-shot"], ["majority", "features"]])
def test_one_size_alone_can_be_drawn(drawn: Path, names: list[str]) -> None:
    plot_comparison(comparison(names, sizes=(0, None), recommended=""), drawn)
    assert drawn.is_file()


def test_nothing_at_all_can_be_drawn(drawn: Path) -> None:
    plot_comparison(comparison(["features"], sizes=(None,), dropped=[("features", None)]), drawn)
    assert drawn.is_file()


def test_names_are_neither_formulas_nor_signs_that_warn(drawn: Path) -> None:
    from dataclasses import replace

    made = comparison(WAYS)
    plot_comparison(replace(made, plan=replace(made.plan, data="$\\frac{ 客户")), drawn)
    assert drawn.is_file()


def test_what_cannot_be_drawn_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"must end in \.svg, \.png, \.pdf"):
        check_plot("curves.gif")
    with pytest.raises(SpecError, match="no such folder"):
        check_plot(tmp_path / "no" / "curves.svg")


def test_without_matplotlib_the_message_has_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"pip install 'promptkit\[plot\]'"):
        check_plot(tmp_path / "curves.svg")


def test_labels_keep_their_order_and_distance() -> None:
    found = spread([0.0, 1.0, 2.0, 50.0, 51.0, 90.0], gap=10)
    assert found == sorted(found)
    assert min(b - a for a, b in pairwise(found)) >= 10 - 1e-9
    assert found[-1] == 90.0
    assert sum(found[:3]) == pytest.approx(3.0)
    assert spread([]) == []
