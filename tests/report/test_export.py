import csv
import io
import json
from dataclasses import replace

import pytest

from promptkit.errors import SpecError
from promptkit.metrics import Report
from promptkit.report import (
    as_csv,
    as_format,
    as_json,
    as_markdown,
    predictions_as,
    predictions_csv,
    predictions_jsonl,
)
from promptkit.types import Prediction, Score
from tests.report.samples import choosing, record


def lines_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_json_holds_everything_but_the_predictions() -> None:
    run = record()
    (found,) = json.loads(as_json([run]))
    assert found["fingerprint"] == run.spec.fingerprint()
    assert found["spec"]["template"]["name"] == "sentiment_zero_shot"
    assert found["labels"] == ["negative", "neutral", "positive"]
    assert found["cost"]["prompt_tokens"] == 45_678
    assert found["packages"] == {"numpy": "2.3.5"}
    assert found["notes"] == list(run.notes)
    assert found["origin"] == {"data": "in the box"}
    assert found["from_store"] is False
    fields = {name: found[name] for name in run.report.to_json()}
    assert Report.from_json(fields) == run.report
    assert "predictions" not in found


def test_json_has_null_and_never_nan() -> None:
    odd = Score("accuracy", float("nan"), None, float("inf"), 3)
    run = record(report=replace(record().report, scores=(odd,)))

    def refuse(name: str) -> None:
        raise AssertionError(name)

    (found,) = json.loads(as_json([run]), parse_constant=refuse)
    assert [found["scores"][0][name] for name in ("value", "low", "high")] == [None, None, None]


def test_json_lists_every_run() -> None:
    runs = [record(seed=seed, shots=4) for seed in range(3)]
    assert [one["spec"]["seed"] for one in json.loads(as_json(runs))] == [0, 1, 2]


def test_csv_has_a_line_per_run_and_metric() -> None:
    runs = [record(seed=seed, shots=4, unscored=2) for seed in range(2)]
    lines = lines_of(as_csv(runs))
    assert len(lines) == 2 * 8
    accuracy = runs[1].report.find("accuracy")
    assert accuracy is not None
    assert lines[8] == {
        "fingerprint": runs[1].spec.fingerprint(),
        "template": "sentiment_zero_shot",
        "model": "sentence-transformers/all-MiniLM-L6-v2",
        "strategy": "in_context",
        "data": "customer_reviews",
        "split": "test",
        "seed": "1",
        "metric": "accuracy",
        "value": str(accuracy.value),
        "low": str(accuracy.low),
        "high": str(accuracy.high),
        "n": "300",
        "n_unscored": "2",
    }
    assert {"majority_of_golds", "random"} < {line["metric"] for line in lines}


def test_csv_leaves_what_is_no_number_empty() -> None:
    odd = Score("accuracy", float("nan"), None, None, 3)
    (line, *_) = lines_of(as_csv([record(report=replace(record().report, scores=(odd,)))]))
    assert (line["value"], line["low"], line["high"]) == ("", "", "")


def test_markdown_tables_have_as_many_cells_in_each_line() -> None:
    labels = ("a|b", "c\nd", "<script>", "*e*")
    text = as_markdown([record(labels), record(labels, seed=1)])
    tables = [part for part in text.split("\n\n") if part.startswith("|")]
    assert len(tables) == 1 + 2 * 2
    for table in tables:
        lines = table.strip().splitlines()
        cells = {line.replace("\\|", "").count("|") for line in lines}
        assert len(cells) == 1
        assert set(lines[1]) <= set("|-: ")


def test_markdown_escapes_what_comes_out_of_rows() -> None:
    text = as_markdown([record(("a|b", "c\nd", "<script>", "*e*"), notes=("see [x](y)",))])
    for escaped in (
        "| a\\|b |",
        "| c\\\\nd |",
        "| \\<script\\> |",
        "| \\*e\\* |",
        "see \\[x\\](y)",
    ):
        assert escaped in text


def test_markdown_of_one_run_needs_no_comparison() -> None:
    text = as_markdown([record()])
    assert text.startswith("## sentiment\\_zero\\_shot\n")
    assert "| unscored rows | 0 |  | 300 |" in text
    assert "most frequent label of these rows" in text


def test_markdown_of_choices_has_no_table_of_labels() -> None:
    assert "precision" not in as_markdown([choosing()])


def test_formats_are_found_by_name() -> None:
    run = [record(n=10)]
    assert as_format(run, "json") == as_json(run)
    assert as_format(run, "csv") == as_csv(run)
    assert as_format(run, "markdown") == as_markdown(run)
    with pytest.raises(SpecError, match="did you mean 'markdown'"):
        as_format(run, "markdwon")


def test_predictions_have_a_probability_per_label() -> None:
    run = record(n=5, unscored=1)
    unscored, first, *_ = lines_of(predictions_csv(run))
    assert list(first) == [
        "id",
        "gold",
        "predicted",
        "tied",
        "problem",
        "p:negative",
        "p:neutral",
        "p:positive",
    ]
    assert first["predicted"] == run.predictions[1].label
    shares = [float(value) for name, value in first.items() if name.startswith("p:")]
    assert sum(shares) == pytest.approx(1)
    assert unscored["predicted"] == unscored["p:neutral"] == ""
    assert unscored["problem"] == "the prompt does not fit"


def test_labels_of_the_same_text_have_columns_of_their_own() -> None:
    (header, *_) = predictions_csv(record((0, "0", ""), n=3)).splitlines()
    assert next(csv.reader([header]))[-3:] == ["p:0", 'p:"0"', 'p:""']


def test_choices_have_one_column_with_a_list() -> None:
    first, *_, last = lines_of(predictions_csv(choosing()))
    assert json.loads(first["p"]) == pytest.approx([0.25, 0.75])
    assert (last["p"], last["predicted"]) == ("", "")


def test_jsonl_keeps_the_types_of_labels() -> None:
    run = record((0, "0", False), n=6)
    lines = [json.loads(line) for line in predictions_jsonl(run).splitlines()]
    assert [repr(line["gold"]) for line in lines] == [repr(gold) for gold in run.golds]
    assert [line["id"] for line in lines] == [f"row-{i}" for i in range(6)]
    assert lines[0]["labels"] == [0, "0", False]
    assert sum(lines[0]["p"]) == pytest.approx(1)


def test_jsonl_of_choices_and_unscored_rows() -> None:
    first, *_, last = (json.loads(line) for line in predictions_jsonl(choosing()).splitlines())
    assert first["p"] == pytest.approx([0.25, 0.75])
    assert "labels" not in first
    assert (last["p"], last["predicted"]) == (None, None)


def test_a_line_separator_in_an_id_does_not_break_a_line() -> None:
    run = record(n=1, predictions=(Prediction("a\u2028b\nc", None, None),))
    assert len(predictions_jsonl(run).split("\n")) == 2
    assert lines_of(predictions_csv(run))[0]["id"] == "a\u2028b\nc"


def test_a_lone_surrogate_can_be_written() -> None:
    run = record(n=1, predictions=(Prediction("\ud800", None, None),), notes=("\ud800",))
    for text in (predictions_jsonl(run), predictions_csv(run), as_json([run]), as_markdown([run])):
        assert text.encode()
    assert json.loads(predictions_jsonl(run))["id"] == "\ud800"


def test_the_suffix_of_a_file_says_how_predictions_are_written() -> None:
    run = record(n=3)
    assert predictions_as(run, ".csv") == predictions_csv(run)
    assert predictions_as(run, ".jsonl") == predictions_jsonl(run)
    with pytest.raises(SpecError, match=r"'\.json'"):
        predictions_as(run, ".json")
