from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas
import pytest

from promptkit.errors import DataError, SpecError
from promptkit.report import compared
from promptkit.report.compared import Compared, compare
from promptkit.runs.compare.spec import CompareSpec
from tests.report.comparisons import comparison
from tests.report.samples import printed

FAST = ["majority", "random", "tfidf"]
ROWS = [
    {"text": f"{word} number {place}", "label": label}
    for place in range(10)
    for word, label in (("lovely", "good"), ("broken", "bad"))
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[CompareSpec]:
    """What reaches the engine; nothing is run."""
    seen: list[CompareSpec] = []

    def engine(spec: CompareSpec, **_: Any) -> Any:
        seen.append(spec)
        return comparison()

    monkeypatch.setattr(compared, "run_comparison", engine)
    return seen


def test_it_holds_lines_and_a_verdict() -> None:
    found = Compared(comparison())
    assert found.recommendation.entry is not None
    assert found.recommendation.entry.name == "features"
    assert found.lines == comparison().lines
    assert found.plan.data == "customer_reviews"
    assert len(found.to_frame()) == len(found.lines)
    assert found.to("csv").startswith("entry,strategy,model")


def test_it_can_be_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    Compared(comparison(["majority", "features"])).plot(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_it_can_be_printed_with_rich_and_without() -> None:
    found = Compared(comparison())
    assert "Use features: as good as the best" in printed(found, 140)
    assert "Use features: as good as the best" in str(found)
    assert repr(found) == "<Compared 'customer_reviews': 12 ways, recommended 'features'>"
    assert "nothing recommended" in repr(Compared(comparison(recommended="")))


def test_a_notebook_shows_it_escaped() -> None:
    html = Compared(comparison(labels=["<b>", "&", "x"]))._repr_html_()
    assert html.startswith("<pre")
    assert "&lt;b&gt;" in html


def test_options_reach_the_engine_as_they_are_meant(asked: list[CompareSpec]) -> None:
    compare(
        "rows.csv",
        strategies="tfidf,features",
        models="minilm",
        sizes="0,8,all",
        budget="30m",
        max_memory="2GiB",
        label_map={"1": "bad"},
    )
    (spec,) = asked
    assert spec.strategies == ["tfidf", "features"]
    assert spec.models == ["minilm"]
    assert spec.sizes == [0, 8, None]
    assert spec.budget == 1800
    assert spec.max_memory == 2 * 2**30
    assert spec.label_map == {"1": "bad"}


def test_without_options_the_defaults_of_the_spec_hold(asked: list[CompareSpec]) -> None:
    compare("rows.csv")
    assert asked == [CompareSpec(data="rows.csv")]


def test_a_wrong_option_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(SpecError, match="did you mean 'label_map'"):
        compare(ROWS, label_maps={})
    with pytest.raises(SpecError, match=r"compare\(\), key 'folds'"):
        compare(ROWS, folds=1)
    with pytest.raises(SpecError, match="budget soon: write a time"):
        compare(ROWS, budget="soon")


@pytest.mark.parametrize("as_frame", [False, True])
def test_rows_of_python_are_compared(tmp_path: Path, as_frame: bool) -> None:
    rows = pandas.DataFrame(ROWS) if as_frame else ROWS
    found = compare(rows, strategies=FAST, sizes=(4, None), seeds=1, folds=2, root=tmp_path)
    assert [line.entry.name for line in found.lines if line.size is None] == ["majority", "tfidf"]
    assert found.recommendation.entry is not None
    assert found.recommendation.entry.name == "tfidf"


def test_it_says_how_far_it_has_come_if_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options: dict[str, Any] = {"strategies": FAST, "sizes": (None,), "seeds": 1, "folds": 2}
    compare(ROWS, root=tmp_path, **options)
    assert capsys.readouterr() == ("", "")
    compare(ROWS, root=tmp_path / "other", progress=True, **options)
    told = capsys.readouterr()
    assert told.out == ""
    assert "promptkit: 3 ways" in told.err


def test_too_few_rows_are_an_error() -> None:
    with pytest.raises(DataError, match="too few"):
        compare(ROWS[:4], strategies=FAST)


def test_charts_and_the_report_are_at_hand(home):
    found = compare(
        ROWS, strategies=["majority", "tfidf"], sizes=[4, 8, None], folds=3, seeds=1,
        prices={"hour": 1.0, "currency": "EUR"},
    )  # fmt: skip
    for chart in (found.learning_curves, found.pareto("adapt"), found.reliability("tfidf")):
        assert "<svg" in chart._repr_html_()
    found.report(home / "report.html")
    assert "EUR" in (home / "report.html").read_text()
    with pytest.raises(SpecError, match="did you mean 'tfidf'"):
        found.reliability("tf-idf")
