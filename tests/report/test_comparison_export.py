from __future__ import annotations

import csv
import io
import json
import sys
from dataclasses import replace
from typing import Any

import pytest

from promptkit.errors import MissingExtra, SpecError
from promptkit.report.comparison_export import (
    COLUMNS,
    as_frame,
    comparison_as,
    comparison_csv,
    comparison_json,
)
from promptkit.types import Score
from tests.report.comparisons import COMMAND, comparison, crowded


def strict(text: str) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


def test_json_holds_verdict_lines_and_plan() -> None:
    made = crowded()
    found = strict(comparison_as(made, "json"))
    assert found["verdict"]["entry"] == "features (minilm)"
    assert found["verdict"]["command"] == COMMAND
    assert found["plan"]["labels"] == list(made.plan.labels)
    assert found["plan"]["sizes"] == [0, 8, 32, None]
    assert found["plan"]["entries"][-1]["name"] == made.plan.entries[-1].name
    assert len(found["plan"]["cells"]) == len(made.plan.cells)
    assert [line["entry"] for line in found["lines"]] == [x.entry.name for x in made.lines]
    assert found["not_computed"][0]["reason"].startswith("failed: out of memory")
    assert found["fingerprint"] == made.fingerprint


def test_json_keeps_the_types_of_labels() -> None:
    made = comparison(["majority", "features"], labels=[0, "0", False, 0.5])
    assert strict(comparison_json(made))["plan"]["labels"] == [0, "0", False, 0.5]


def test_predictions_are_left_out_unless_asked_for() -> None:
    made = comparison(["majority", "features"])
    assert "predicted" not in strict(comparison_json(made))["cells"][0]
    assert "golds" not in strict(comparison_json(made))
    found = strict(comparison_json(made, predictions=True))
    assert found["cells"][0]["predicted"] == [0, 1, 2]
    assert found["golds"] == [0, 1, 2]


def test_nothing_is_nan_or_infinite() -> None:
    made = comparison(["majority", "features"])
    odd = Score("accuracy", float("nan"), None, float("inf"), 3)
    made = replace(made, lines=(replace(made.lines[0], accuracy=odd), *made.lines[1:]))
    line = strict(comparison_json(made))["lines"][0]
    assert line["accuracy"]["value"] is None
    assert "nan" not in comparison_csv(made)
    assert "inf" not in comparison_csv(made)


def test_csv_has_a_line_per_entry_and_size() -> None:
    made = crowded()
    rows = list(csv.DictReader(io.StringIO(comparison_as(made, "csv"))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(made.lines)
    recommended = [row for row in rows if row["is_recommended"] == "True"]
    assert [(row["entry"], row["size"]) for row in recommended] == [("features (minilm)", "all")]
    full = next(row for row in rows if row["entry"] == "full (minilm)" and row["size"] == "8")
    assert (full["accuracy"], full["fit_seconds"], full["problem"]) == ("", "", "not computed")


def test_a_data_frame_has_the_same_rows() -> None:
    made = comparison(["tfidf", "zero-shot", "lora"])
    frame = as_frame(made)
    assert list(frame.columns) == list(COLUMNS)
    assert len(frame) == len(made.lines)
    final = frame[frame["size"] == "all"].set_index("entry")
    assert final.loc["lora", "accuracy"] == pytest.approx(0.771)
    assert final.loc["lora", "trained_parameters"] == 384_771
    assert frame["accuracy"].dtype == float


def test_without_pandas_the_message_has_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match="pip install pandas"):
        as_frame(comparison(["majority", "features"]))


def test_markdown_is_tables_and_then_the_verdict() -> None:
    text = comparison_as(comparison(), "markdown")
    assert "| **features** | recommended, not told apart | 96 | 0.742 |" in text
    assert "| lora | best | 96 | 0.771 | 0.710 to 0.829 | 0.759 | best |  | 2.9 min |" in text
    assert "| zero-shot-batch | **0.583** | – | – | – |" in text
    assert text.rstrip().endswith(f"```bash\n{COMMAND}\n```")
    widths = [line.count("|") for line in text.splitlines() if line.startswith("| ")]
    assert set(widths) == {13, 6}


def test_markdown_leaves_names_and_labels_as_they_are() -> None:
    text = comparison_as(crowded(), "markdown")
    assert r"\[bold\]label\[/bold\] 0" in text
    assert r"\[cuda:0\] has 8.0 GiB" in text
    assert "&lt;0.001" in text
    assert "| <0.001" not in text


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(SpecError, match="did you mean 'markdown'"):
        comparison_as(comparison(["majority", "features"]), "markdwn")


def test_costs_curves_and_firmness_are_exported_too() -> None:
    from promptkit.runs.compare.ledger import Prices
    from tests.runs.compare.made import comparison as made

    found = made(prices=Prices(hour=1.0, currency="EUR"))
    told = json.loads(comparison_json(found))
    assert {one["entry"] for one in told["ledger"]} == {"zero-shot", "features", "full"}
    assert told["prices"]["currency"] == "EUR"
    assert told["learning_curves"][0]["gain_of_twice_the_rows"].keys() == {"mean", "low", "high"}
    assert told["advice"]["entry"] == found.recommendation.entry.name
    assert sum(told["firmness"]["shares"].values()) == pytest.approx(1.0)
    assert told["verdict"]["traces"][0]["kind"] == "headline"
    assert "confidence" not in told["cells"][0]
    lines = list(csv.DictReader(io.StringIO(comparison_as(found, "csv"))))
    (whole,) = [x for x in lines if x["entry"] == "full" and x["size"] == "all"]
    assert float(whole["row_flops"]) == 5e8
    assert float(whole["price_per_1000"]) > 0
    (few,) = [x for x in lines if x["entry"] == "full" and x["size"] == "8"]
    assert few["row_flops"] == ""
    text = comparison_as(found, "markdown")
    assert "### What it costs" in text
    assert "### What more labelled rows would bring" in text
    assert "How firm it is:" in text
