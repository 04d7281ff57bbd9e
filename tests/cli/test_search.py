"""``promptkit search`` prints what it chose and what that is worth, and says what is wrong."""

import csv
import json

import pytest
import yaml

ROWS = "text,label\n" + "".join(
    f"{word} number {i},{label}\n"
    for i in range(20)
    for word, label in (("good", "positive"), ("bad", "negative"))
)


@pytest.fixture
def search(promptkit, home):
    (home / "rows.csv").write_text(ROWS)

    def call(*options):
        return promptkit("search", "--data", "rows.csv", "--backend", "fake", *options)

    return call


def test_it_prints_inner_outer_optimism_and_a_command(search, promptkit, home):
    status, out, err = search("--shots", "0,2", "--output", "chosen.yaml")
    assert status == 0, err
    for part in ("inner accuracy", "outer accuracy", "optimism", "outer folds", "prompt tokens"):
        assert part in out
    command = " ".join(out[out.index("to use it on new rows") :].replace("\\\n", " ").split())
    assert "promptkit eval --template" in command
    assert "--data NEW_ROWS.csv --train-data rows.csv" in command
    (home / "NEW_ROWS.csv").write_text(ROWS)
    assert yaml.safe_load((home / "chosen.yaml").read_text())["train_data"] == "rows.csv"
    status, out, err = promptkit("eval", "chosen.yaml")
    assert status == 0, err


def test_it_writes_json_csv_and_markdown(search, home):
    few = ("--shots", "0,2", "--selectors", "random", "--calibrations", "none")
    status, out, _ = search(*few, "--format", "json", "--output", "a.csv")
    found = json.loads(out)
    assert status == 0
    assert found["outer"]["n"] == 40
    assert found["chosen"]["configuration"]["verbalizer"] == {"name": "words"}
    assert len(found["folds"]) == 4
    lines = list(csv.DictReader((home / "a.csv").read_text().splitlines()))
    assert len(lines) == len(found["tried"])
    assert lines[0]["fate"] == "chosen"
    _, out, _ = search(*few, "--format", "markdown")
    assert "| chosen without it |" in out
    assert "optimism: " in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--budget-tokens", "lots"), "write a number of tokens such as 500k or 2M"),
        (("--budget-tokens", "0"), "budget_tokens"),
        (("--budget-tokens", "3"), "--budget-tokens 3 allows no look"),
        (("--selectors", "neerest"), "did you mean 'nearest'?"),
        (("--selectors", "none"), "prompts without demonstrations are --shots 0"),
        (("--calibrations", "batsh"), "did you mean 'batch'?"),
        (("--verbalizers", "normalize=tokens"), "write it as name:option=value"),
        (("--verbalizers", "words:normalize"), "write it as name:option=value"),
        (("--verbalizers", "words:normalise=tokens"), "did you mean 'normalize'?"),
        (("--templates", "sentiment_zero_shto"), "did you mean 'sentiment_zero_shot'?"),
        (
            ("--templates", "movie_sentiment_zero_shot,entailment_zero_shot"),
            "'entailment_zero_shot' has fields premise, hypothesis",
        ),
        (("--templates", "multiple_choice"), "no column 'question'"),
        (("--shots", "-1"), "shots"),
        (("--shots", "many"), "shots"),
        (("--folds", "1"), "folds"),
        (("--folds", "41"), "cannot be dealt into 41 folds"),
        (("--rule", "worst"), "'best' or 'simplest'"),
        (("--output", "there/a.json"), "no such folder"),
        (("--output", "a.xml"), "the name must end in"),
        (("--limit", "10"), "10 labelled rows are too few"),
    ],
)
def test_what_is_wrong_is_one_line(search, options, said):
    status, _, err = search(*options)
    assert status == 2
    assert said in " ".join(err.split())
    assert err.count("\n") == 1


def test_rows_have_to_be_named(promptkit):
    status, _, err = promptkit("search")
    assert status == 2
    assert "no training rows; add --data FILE" in err
