"""``promptkit eval --abstain --conformal --out-of-scope``."""

import csv
import io
import json

import pytest

COMMAND = ("eval", "-t", "sentiment_binary_zero_shot", "--backend", "fake",
           "--data", "a.csv", "--train-data", "b.csv")  # fmt: skip
WORDS = ("good", "bad", "fine", "dull", "odd")


@pytest.fixture(autouse=True)
def rows(home):
    for name, n in (("a", 40), ("b", 60)):
        lines = ["text,label"]
        for i in range(n):
            lines.append(f"{WORDS[i % 5]} {name} {i},{('positive', 'negative')[i % 2]}")
        (home / f"{name}.csv").write_text("\n".join(lines) + "\n")
    lines = (home / "a.csv").read_text() + "".join(f"stone {i},none\n" for i in range(10))
    (home / "c.csv").write_text(lines)


def test_it_adds_a_table_to_the_run(promptkit):
    plain = promptkit(*COMMAND)[1]
    status, out, err = promptkit(*COMMAND, "--abstain", "0.5 coverage", "--conformal", "0.9")
    assert (status, err) == (0, "")
    assert "acting on uncertainty" not in plain
    for part in ("acting on uncertainty", "rows answered", "sets that hold the right label",
                 "chosen on 60 training rows", "coverage against accuracy"):  # fmt: skip
        assert part in out
    # the same evidence: nothing is computed anew
    assert "answered from the store" in out


def test_the_training_rows_are_a_stored_run_of_their_own(promptkit, home):
    promptkit(*COMMAND, "--conformal", "0.9")
    assert len(list((home / ".promptkit" / "runs").iterdir())) == 2
    promptkit(*COMMAND, "--abstain", "0.5 coverage")
    assert len(list((home / ".promptkit" / "runs").iterdir())) == 2


def test_every_rows_answer_says_what_was_done_with_it(promptkit, home):
    wishes = ("--abstain", "0.5 coverage", "--conformal", "0.9")
    promptkit(*COMMAND, *wishes, "--predictions", "p.csv")
    lines = list(csv.DictReader(io.StringIO((home / "p.csv").read_text())))
    assert {line["abstained"] for line in lines} == {"True", "False"}
    assert all(isinstance(json.loads(line["label_set"]), list) for line in lines)
    promptkit(*COMMAND, *wishes, "--predictions", "p.jsonl")
    lines = [json.loads(line) for line in (home / "p.jsonl").read_text().splitlines()]
    assert {line["abstained"] for line in lines} == {True, False}
    assert all(set(line["label_set"]) <= {"negative", "positive"} for line in lines)


def test_results_for_other_programs_have_it_too(promptkit):
    wishes = ("--abstain", "0.9 accuracy", "--conformal", "0.9", "--format")
    (run,) = json.loads(promptkit(*COMMAND, *wishes, "json")[1])
    assert run["uncertainty"]["abstain"]["threshold"]["goal"] == "accuracy"
    lines = list(csv.DictReader(io.StringIO(promptkit(*COMMAND, *wishes, "csv")[1])))
    assert {"answered", "set_coverage"} <= {line["metric"] for line in lines}
    assert "### Acting on uncertainty" in promptkit(*COMMAND, *wishes, "markdown")[1]


def test_rows_out_of_scope_are_counted_and_told_apart(promptkit, home):
    command = [*COMMAND, "--out-of-scope", "none", "--predictions", "p.jsonl"]
    command[command.index("a.csv")] = "c.csv"
    status, out, err = promptkit(*command)
    assert (status, err) == (0, "")
    assert "AUROC of rows in and out of scope" in out
    assert "10 of the 50 rows are of none of the labels (none)" in out
    lines = [json.loads(line) for line in (home / "p.jsonl").read_text().splitlines()]
    assert [line["gold"] for line in lines[-11:]] == ["negative", *["none"] * 10]
    assert all(isinstance(line["out_of_scope"], bool) for line in lines)
    command[-1] = "p.csv"
    promptkit(*command)
    lines = list(csv.DictReader(io.StringIO((home / "p.csv").read_text())))
    assert list(lines[0])[:5] == ["id", "gold", "predicted", "out_of_scope", "tied"]
    assert lines[-1]["gold"] == "none"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--abstain", "90%"), "write a share between 0 and 1"),
        (("--conformal", "0.99"), "at level 0.99 need 99"),
        (("--abstain", "0.9", "--seeds", "2"), "--abstain is for one draw"),
        (("--abstain", "0.9", "--train-data", "a.csv"), "is evaluated too"),
    ],
)
def test_what_is_wrong_is_one_line(promptkit, arguments, said):
    status, _, err = promptkit(*COMMAND, *arguments)
    assert status == 2
    assert said in err
    assert err.count("\n") == 1


def test_a_saved_model_brings_no_training_rows(promptkit, home):
    promptkit("tune", "--strategy", "tfidf", "--data", "b.csv", "--output", "model")
    status, _, err = promptkit("eval", "--model", "model", "--data", "a.csv", "--abstain", "0.9")
    assert status == 2
    assert "--abstain cannot be chosen for the saved model" in err


def test_a_spec_file_says_the_same(promptkit, home):
    (home / "spec.yaml").write_text(
        "template: sentiment_binary_zero_shot\nbackend: fake\ndata: a.csv\ntrain_data: b.csv\n"
        "abstain: 0.5 coverage\nconformal: 0.9\n"
    )
    status, out, _ = promptkit("eval", "spec.yaml")
    assert status == 0
    assert "sets that hold the right label" in out
