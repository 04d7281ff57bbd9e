"""``promptkit predict --abstain --conformal``: how sure an answer is, beside the answer."""

import csv
import io
import json

import numpy as np
import pytest

SAID = {"positive": ("great", "lovely"), "negative": ("awful", "bad")}
PREDICT = ("predict", "--model", "model", "--data", "rows.csv", "--train-data", "labelled.csv")


def write(path, rng, n, name):
    """A third of the rows says the wrong word for its label, half says a telling one."""
    lines = ["text,label"]
    for i in range(n):
        label = ("positive", "negative")[int(rng.integers(2))]
        words = SAID[label]
        word = words[0] if rng.random() < 0.5 else SAID[("positive", "negative")[i % 2]][1]
        lines.append(f"{word} {name} {i},{label}")
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def model(promptkit, home):
    rng = np.random.default_rng(0)
    for name, n in (("learned", 200), ("labelled", 300), ("rows", 60)):
        write(home / f"{name}.csv", rng, n, name)
    promptkit("tune", "--strategy", "tfidf", "--data", "learned.csv", "--output", "model")


def read(path):
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_rows_that_it_is_not_sure_of_are_marked(promptkit, home, model):
    status, _, err = promptkit(*PREDICT, "--abstain", "0.9 accuracy", "-o", "out.csv")
    assert status == 0
    assert "must be none that the model learned from" in err
    lines = read(home / "out.csv")
    assert list(lines[0]) == ["text", "label", "predicted", "abstained", "problem"]
    answered = [line for line in lines if line["abstained"] == "False"]
    assert 15 <= len(answered) <= 45
    assert np.mean([line["predicted"] == line["label"] for line in answered]) >= 0.85
    assert np.mean([line["predicted"] == line["label"] for line in lines]) < 0.85


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_label_sets_are_written_in_every_format(promptkit, home, model, ending):
    options = ("--conformal", "0.9", "--prefix", "m_", "-o", f"out.{ending}")
    assert promptkit(*PREDICT, *options)[0] == 0
    if ending == "csv":
        sets = [json.loads(line["m_label_set"]) for line in read(home / "out.csv")]
    elif ending == "jsonl":
        lines = (home / "out.jsonl").read_text().splitlines()
        sets = [json.loads(line)["m_label_set"] for line in lines]
    else:
        from pyarrow import parquet

        sets = parquet.read_table(home / "out.parquet").column("m_label_set").to_pylist()
    golds = [line["label"] for line in read(home / "rows.csv")]
    held = [gold in labels for gold, labels in zip(golds, sets, strict=True)]
    assert np.mean(held) >= 0.8
    assert {len(labels) for labels in sets} >= {1, 2}


def test_a_row_that_cannot_be_answered_is_abstained_from(promptkit, home, model):
    (home / "rows.csv").write_text("text,label\n,positive\n")
    promptkit(*PREDICT, "--abstain", "0.5 coverage", "--conformal", "0.9", "-o", "out.csv")
    (line,) = read(home / "out.csv")
    assert (line["abstained"], line["label_set"], line["predicted"]) == ("True", "", "")


def test_a_template_can_be_asked_likewise(promptkit, home, model):
    status, _, err = promptkit(
        "predict", "-t", "sentiment_binary_zero_shot", "--backend", "fake", "--data", "rows.csv",
        "--train-data", "labelled.csv", "--abstain", "0.5 coverage", "-o", "out.csv",
    )  # fmt: skip
    assert (status, err) == (0, "60 rows in out.csv\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*PREDICT, "-o", "o.csv"), "give both, or neither"),
        ((*PREDICT[:-2], "--abstain", "0.9", "-o", "o.csv"), "give both, or neither"),
        ((*PREDICT[:-1], "learned.csv", "--abstain", "0.9", "-o", "o.csv"), "learned from these"),
        ((*PREDICT, "--abstain", "0.999", "-o", "o.csv"), "nothing would be answered"),
        ((*PREDICT, "--conformal", "0.999", "-o", "o.csv"), "need 999 labelled rows"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(promptkit, home, model, arguments, said):
    status, _, err = promptkit(*arguments)
    assert status == 2
    assert said in err
    assert not (home / "o.csv").exists()
