"""Files of any size are answered in pieces, and every row keeps what it had."""

import csv
import json
import tracemalloc
from collections import Counter

import pyarrow as pa
import pytest
from pyarrow import parquet

from promptkit.errors import DataError, PromptkitError, SpecError, StoreError
from promptkit.prompts import find_template
from promptkit.runs import EvalSpec
from promptkit.runs.answers import AnswerColumns
from promptkit.runs.predict import Job, check_output, predict_rows
from promptkit.runs.predictor import Predictor, of_saved, predictor_of
from promptkit.runs.saved import load_model
from promptkit.runs.tune import tune
from tests.learner import registered  # noqa: F401

pytestmark = pytest.mark.usefixtures("registered")
ROWS = [
    {"n": 1, "body": "good food", "é": "a,b"},
    {"n": 2, "body": "  ", "é": 'say "x"\nand y'},
    {"n": 3, "body": "bad food", "é": ""},
    {"n": 4, "body": None, "é": "ü"},
    {"n": 5, "body": "so good", "é": "z"},
]
EXPECTED = ["pos", None, "neg", None, "pos"]


@pytest.fixture
def predictor(home):
    texts = [("good food", "pos"), ("bad food", "neg"), ("good staff", "pos"), ("bad", "neg")]
    lines = ["body,label", *(f"{text},{label}" for text, label in texts)]
    (home / "train.csv").write_text("\n".join(lines) + "\n")
    tune(EvalSpec(strategy="learner", data="train.csv"), "model")
    return of_saved(load_model("model"))


def write(path, rows):
    ending = path.rpartition(".")[2]
    if ending == "parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path)
    elif ending == "jsonl":
        with open(path, "w") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    else:
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], delimiter="\t" if ending == "tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    return path


def read(path):
    ending = path.rpartition(".")[2]
    if ending == "parquet":
        return parquet.read_table(path).to_pylist()
    with open(path, newline="") as file:
        if ending == "jsonl":
            return [json.loads(line) for line in file]
        return list(csv.DictReader(file, delimiter="\t" if ending == "tsv" else ","))


def job(predictor, source, output, *, proba=False, prefix="", **options):
    labels = predictor.template.task.labels
    answers = AnswerColumns(labels, tuple(map(str, labels)), proba, prefix)
    return Job(predictor, answers, source, output, **options)


@pytest.mark.parametrize("out", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_every_format_becomes_every_other_with_all_columns_in_order(predictor, ending, out):
    source = write(f"rows.{ending}", ROWS)
    done = predict_rows(job(predictor, source, f"out.{out}", proba=True, batch_rows=2))
    found = read(f"out.{out}")
    assert list(found[0]) == ["n", "body", "é", "predicted", "p:neg", "p:pos", "problem"]
    assert [row["predicted"] or None for row in found] == EXPECTED
    assert [row["é"] for row in found] == [row["é"] for row in ROWS]
    assert [int(row["n"]) for row in found] == [1, 2, 3, 4, 5]
    assert float(found[0]["p:neg"]) + float(found[0]["p:pos"]) == pytest.approx(1)
    assert found[1]["p:neg"] in (None, "")
    assert [bool(row["problem"]) for row in found] == [one is None for one in EXPECTED]
    assert (done.rows, sum(done.problems.values())) == (5, 2)
    assert done.problems == Counter({"'body' is empty": 2})


def test_parquet_keeps_the_types_of_its_columns(predictor, home):
    import datetime

    table = pa.table({
        "body": ["good", "bad"], "day": pa.array([datetime.date(2020, 1, 2), None]),
        "kind": pa.array(["a", "b"]).dictionary_encode(), "raw": pa.array([b"\x00", b"\x01"]),
        "list": pa.array([[1, 2], []]),
    })  # fmt: skip
    parquet.write_table(table, "rows.parquet")
    predict_rows(job(predictor, "rows.parquet", "out.parquet"))
    found = parquet.read_table("out.parquet")
    assert found.select(table.schema.names).equals(table)
    assert found.column("predicted").to_pylist() == ["pos", "neg"]
    with pytest.raises(DataError, match=r"write \.parquet instead"):
        predict_rows(job(predictor, "rows.parquet", "out.csv"))


def test_labels_keep_their_types_where_the_format_has_any(home):
    (home / "train.jsonl").write_text('{"text": "good", "label": 1}\n{"text": "bad", "label": 0}\n')
    tune(EvalSpec(strategy="learner", data="train.jsonl"), "model")
    predictor = of_saved(load_model("model"))
    write("rows.jsonl", [{"text": "good"}, {"text": "bad"}, {"text": ""}])
    for out in ("out.jsonl", "out.parquet"):
        predict_rows(job(predictor, "rows.jsonl", out))
        assert [row["predicted"] for row in read(out)] == [1, 0, None]
    assert parquet.read_schema("out.parquet").field("predicted").type == pa.int64()


def test_a_json_row_without_the_field_or_with_half_a_character_is_told(predictor, home):
    rows = [{"body": "good"}, {"other": 1}, {"body": "half \ud83d"}, {"body": 7}]
    write("rows.jsonl", rows)
    done = predict_rows(job(predictor, "rows.jsonl", "out.jsonl"))
    found = read("out.jsonl")
    assert [row["problem"] for row in found] == [
        "", "no 'body'", "'body' holds half a character (a lone surrogate)", ""]  # fmt: skip
    assert found[2]["body"] == rows[2]["body"]
    assert done.rows == 4
    with pytest.raises(DataError, match="'other', which the first row lacks"):
        predict_rows(job(predictor, "rows.jsonl", "out.csv"))


def stopping(predictor, after, error=KeyboardInterrupt):
    """The predictor, which stops after so many batches, as a killed process would."""

    class Stopping:
        calls = 0

        def predict(self, examples):
            self.calls += 1
            if self.calls > after:
                raise error
            return predictor.strategy.predict(examples)

    return Predictor(Stopping(), predictor.template, predictor.columns, predictor.key)


MANY = [{"id": i, "body": f"good {i}" if i % 3 else f"bad {i}"} for i in range(40)]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("out", ["csv", "jsonl", "parquet"])
def test_a_stopped_call_goes_on_where_it_was(predictor, home, out, error, monkeypatch):
    monkeypatch.setattr("promptkit.data.row_writers.PART_ROWS", 8)
    write("rows.csv", MANY)
    predict_rows(job(predictor, "rows.csv", f"whole.{out}"))
    with pytest.raises((PromptkitError, RuntimeError)):
        predict_rows(job(stopping(predictor, 5, error), "rows.csv", f"out.{out}", batch_rows=4))
    assert not (home / f"out.{out}").exists()
    with (home / f"out.{out}.partial" / "rows.csv").open("ab") as file:
        file.write(b"half a li")  # what a kill between writing and noting leaves behind
    seen = []
    again = job(predictor, "rows.csv", f"out.{out}", batch_rows=7)
    done = predict_rows(again, lambda n, total: seen.append(n))
    assert done.rows == 40
    assert done.resumed in (16, 20)
    assert seen[0] > done.resumed
    assert read(f"out.{out}") == read(f"whole.{out}")
    assert not (home / f"out.{out}.partial").exists()


def test_other_rows_or_another_model_are_not_gone_on_with(predictor, home):
    write("rows.csv", MANY)
    with pytest.raises(PromptkitError, match=r"interrupted: 8 of"):
        predict_rows(job(stopping(predictor, 2), "rows.csv", "out.csv", batch_rows=4))
    with pytest.raises(StoreError, match="other options"):
        predict_rows(job(predictor, "rows.csv", "out.csv", proba=True))
    write("rows.csv", [MANY[0] | {"body": "changed"}, *MANY[1:]])
    with pytest.raises(StoreError, match=r"first 8 rows were answered before"):
        predict_rows(job(predictor, "rows.csv", "out.csv"))
    write("rows.csv", MANY[:5])
    with pytest.raises(StoreError, match=r"first 8 rows were answered before"):
        predict_rows(job(predictor, "rows.csv", "out.csv"))
    assert predict_rows(job(predictor, "rows.csv", "out.csv", fresh=True)).rows == 5


def test_a_broken_line_keeps_what_was_answered_and_mended_it_goes_on(predictor, home):
    write("rows.csv", MANY)
    text = (home / "rows.csv").read_text()
    (home / "rows.csv").write_text(text.replace("30,bad 30", "30,bad,30"))
    with pytest.raises(DataError, match="line 32: 3 columns where the header has 2"):
        predict_rows(job(predictor, "rows.csv", "out.csv", batch_rows=10))
    (home / "rows.csv").write_text(text)
    assert predict_rows(job(predictor, "rows.csv", "out.csv")).resumed == 30


@pytest.mark.parametrize("out", ["csv", "parquet"])
def test_memory_does_not_grow_with_the_file(home, out, monkeypatch):
    monkeypatch.setattr("promptkit.data.row_writers.PART_ROWS", 512)
    tune(EvalSpec(strategy="majority", data="customer_reviews"), "model")
    predictor = of_saved(load_model("model"))
    peaks = []
    for n in (500, 1_500, 6_000):
        with (home / "rows.csv").open("w") as file:
            file.write("text\n")
            file.writelines(f"row {i} says something of a usual length\n" for i in range(n))
        tracemalloc.start()
        assert predict_rows(job(predictor, "rows.csv", f"{n}.{out}")).rows == n
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < 1.3 * peaks[1]


def test_fifty_thousand_rows_go_through(home):
    tune(EvalSpec(strategy="majority", data="customer_reviews"), "model")
    with (home / "rows.csv").open("w") as file:
        file.write("text\n")
        file.writelines(f"row {i}\n" for i in range(50_000))
    done = predict_rows(job(of_saved(load_model("model")), "rows.csv", "out.csv", batch_rows=4096))
    assert (done.rows, sum(done.problems.values())) == (50_000, 0)
    with (home / "out.csv").open() as file:
        assert sum(1 for _ in file) == 50_001


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"text_field": "bdy"}, "did you mean 'body'"),
        ({"fields": {"txt": "body"}}, "did you mean 'text'"),
        ({"source": "nowhere.csv"}, "no such file"),
        ({"source": "."}, "is a folder"),
    ],
)
def test_what_is_wrong_is_said(predictor, options, said):
    write("rows.csv", ROWS)
    with pytest.raises(PromptkitError, match=said):
        predict_rows(job(predictor, **{"source": "rows.csv", "output": "o.csv", **options}))


def test_columns_that_are_taken_need_a_prefix(predictor):
    write("rows.jsonl", [{"body": "good", "predicted": "x"}])
    with pytest.raises(SpecError, match="--prefix"):
        predict_rows(job(predictor, "rows.jsonl", "out.jsonl"))
    predict_rows(job(predictor, "rows.jsonl", "out.jsonl", prefix="my_"))
    assert list(read("out.jsonl")[0]) == ["body", "predicted", "my_predicted", "my_problem"]


def test_what_cannot_be_written_is_refused_before_the_work(predictor, home):
    write("rows.csv", ROWS)
    (home / "there.csv").write_text("x")
    told = {
        "out.xlsx": "cannot tell the format",
        "a/b.csv": "no such folder",
        "rows.csv": "file of rows itself",
        "there.csv": "--force",
    }
    for output, said in told.items():
        with pytest.raises(SpecError, match=said):
            check_output("rows.csv", output, False)
    check_output("rows.csv", "there.csv", True)
    with pytest.raises(SpecError, match="file of rows itself"):
        check_output("*.csv", "there.csv", True)
    check_output("nowhere.csv", "there.csv", True)  # told when the rows are looked for


def test_a_template_answers_without_a_saved_model(home):
    predictor = predictor_of(EvalSpec(template="sentiment_zero_shot", backend="fake"))
    write("rows.csv", [{"text": "good"}, {"text": ""}])
    predict_rows(job(predictor, "rows.csv", "out.csv", proba=True))
    found = read("out.csv")
    assert found[0]["predicted"] in find_template("sentiment_zero_shot").task.labels
    assert found[1]["predicted"] == ""


def test_rows_with_choices_are_answered_with_one_of_them(home):
    predictor = predictor_of(EvalSpec(template="multiple_choice", backend="fake"))
    fields = predictor.template.task
    row = dict.fromkeys(fields.fields, "text") | {fields.choices: ["red", "blue"]}
    write("rows.jsonl", [row, row | {fields.choices: "red"}])
    predict_rows(job(predictor, "rows.jsonl", "out.jsonl", proba=True))
    found = read("out.jsonl")
    assert found[0]["predicted"] in ("red", "blue")
    assert sum(found[0]["p"]) == pytest.approx(1)
    assert "no list of choices" in found[1]["problem"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "make one with: promptkit tune"),
        ({"template": "topic_zero_shot"}, "--labels a,b,c"),
        ({"template": "sentiment_zero_shot", "labels": ["bad"]}, "no label 'bad'"),
        ({"model": "model", "template": "sentiment_zero_shot"}, "leave out --template"),
    ],
)
def test_a_predictor_that_cannot_be_says_why(predictor, options, said):
    with pytest.raises(PromptkitError, match=said):
        predictor_of(EvalSpec(**options))
