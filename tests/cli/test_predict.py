"""``promptkit predict``, called as a user calls it."""

import csv
import io
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest


@pytest.fixture
def model(promptkit, home):
    promptkit("tune", "--strategy", "tfidf", "--data", "customer_reviews", "--output", "model")
    rows = [{"id": 7, "body": "Terrible service."}, {"id": 8, "body": ""}]
    (home / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return "model"


PREDICT = ("predict", "--model", "model", "--data", "rows.jsonl", "--text-field", "body")


def test_answers_are_written_and_what_is_missing_is_counted(promptkit, home, model):
    status, out, err = promptkit(*PREDICT, "--output", "out.csv", "--proba")
    assert (status, out) == (0, "")
    assert err == "2 rows in out.csv, 1 without an answer\n  1: 'body' is empty\n"
    found = list(csv.DictReader(io.StringIO((home / "out.csv").read_text())))
    assert list(found[0]) == ["id", "body", "predicted", "p:negative", "p:neutral", "p:positive",
                              "problem"]  # fmt: skip
    assert found[0]["predicted"] == "negative"
    assert found[1]["predicted"] == ""
    status, _, err = promptkit(*PREDICT, "--output", "out.csv")
    assert status == 2
    assert "--force" in err
    assert promptkit(*PREDICT, "--output", "out.csv", "--force")[0] == 0


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_standard_input_becomes_standard_output_in_its_own_format(
    promptkit, model, form, monkeypatch
):
    text = {"csv": "\ufeffbody\r\nTerrible é.\r\n", "jsonl": ' {"body": "Terrible é."}\n'}[form]
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=written, flush=lambda: None))
    from promptkit.cli import make_app

    make_app()(["predict", "--model", "model", "--data", "-", "--output", "-", "--text-field",
                "body"], standalone_mode=False)  # fmt: skip
    out = written.getvalue().decode()
    if form == "csv":
        assert out == "body,predicted,problem\nTerrible é.,negative,\n"
    else:
        assert json.loads(out) == {"body": "Terrible é.", "predicted": "negative", "problem": ""}


def test_a_pipe_that_is_closed_early_is_no_error(promptkit, home, model):
    with (home / "many.csv").open("w") as file:
        file.write("text\n")
        file.writelines(f"Terrible thing {i}\n" for i in range(20_000))
    command = (
        f"{sys.executable} -m promptkit.cli predict --model model --data many.csv --output - "
        "| head -3"
    )
    code = "from promptkit.cli import main; main()"
    command = command.replace("-m promptkit.cli", f"-c '{code}'")
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True,
                          text=True, cwd=home)  # fmt: skip
    assert done.stdout.count("\n") == 3
    assert "Traceback" not in done.stderr


def test_a_template_answers_with_a_model_that_was_not_tuned(promptkit, home, model):
    status, _, err = promptkit("predict", "-t", "sentiment_zero_shot", "--data", "rows.jsonl",
                               "--text-field", "body", "--output", "out.jsonl",
                               "--backend", "fake")  # fmt: skip
    assert status == 0
    assert "2 rows in out.jsonl, 1 without" in err


def test_a_saved_model_is_evaluated_from_the_command_line(promptkit, model):
    status, out, err = promptkit("eval", "--model", "model", "--data", "customer_reviews")
    assert (status, err) == (0, "")
    assert "strategy  tfidf, 120 training rows" in out
    assert "model     model" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--output", "out.txt"), "cannot tell the format"),
        (("--output", "out.csv", "--batch-rows", "0"), "must be at least 1"),
        (("--output", "out.csv", "--text-field", "bdy"), "did you mean 'body'"),
        (("--output", "out.csv", "--model", "minilm"), "promptkit tune"),
        (("--output", "out.csv", "--labels", "a,b"), "leave out --template and --labels"),
        ((), "--output"),
    ],
)
def test_what_is_wrong_is_one_line(promptkit, home, model, arguments, said):
    status, out, err = promptkit(*PREDICT, *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert not (home / "out.csv").exists()
    assert not list(home.glob("*.partial"))


@pytest.mark.parametrize(
    "command",
    [(*PREDICT, "--output", "out.csv"), ("eval", "--model", "model", "--data", "customer_reviews")],
)
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--cache-folder", "kept"),
        ("--base-url", "http://localhost:8000/v1"),
        ("--tokenizer", "model"),
        ("--backend-option", "concurrency=2"),
        ("--chat-template-kwargs", "enable_thinking=false"),
    ],
)
def test_what_a_saved_model_has_settled_is_not_left_out_in_silence(
    promptkit, model, command, option, value
):
    status, _, err = promptkit(*command, option, value)
    assert status == 2
    assert option in err
    assert len(err.strip().splitlines()) == 1
