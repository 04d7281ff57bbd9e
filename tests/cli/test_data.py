"""``promptkit data check`` and ``promptkit data split``, as a user calls them."""

import csv
import json
from pathlib import Path

import pytest

pytest.importorskip("datasketch")
pytest.importorskip("lingua")

TEXTS = [f"what customer number {n * 7919 % 1000} wrote to us on day {n}" for n in range(40)]


@pytest.fixture
def reviews(home):
    rows = [[text, "good" if n % 2 else "bad", f"u{n % 8}", f"2024-01-{n % 28 + 1:02d}"]
            for n, text in enumerate(TEXTS)]  # fmt: skip
    rows += [[TEXTS[0], "good", "u1", "2024-02-01"], ["", "bad", "u1", "2024-02-01"],
             ["[bold]x[/bold] \x1b[31m and CafÃ© here", "Good", "u2", "2024-02-02"]]  # fmt: skip
    with (home / "reviews.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["body", "mood", "user", "date"], *rows])
    return "reviews.csv"


def test_a_check_says_what_is_the_matter_and_where(promptkit, reviews):
    status, out, err = promptkit("data", "check", reviews, "--label-field", "mood")
    assert (status, err) == (0, "")
    for part in (
        "breaks  1 × rows without text",
        "reviews.csv line 43 [bad] (empty)",
        "misleads  2 × one text with several labels",
        "'good' (21) / 'Good' (1)",
        "'Ã©' for 'é'",
        "near-duplicates: Jaccard of character 5-grams from 0.8 on",
    ):
        assert part in out


def test_labels_that_may_be_in_several_columns_are_asked_for(promptkit, reviews):
    out = " ".join(promptkit("data", "check", reviews)[1].split())
    assert "no labels are looked at: the labels may be in 'mood' or 'user'" in out
    assert "say which with --label-field" in out


def test_text_of_rows_neither_steers_the_terminal_nor_is_read_as_markup(promptkit, reviews):
    out = promptkit("data", "check", reviews)[1]
    assert "\x1b" not in out
    assert "[bold]x[/bold] \\x1b[31m" in out


@pytest.mark.parametrize("columns", ["80", "140"])
def test_no_line_is_wider_than_the_terminal(promptkit, reviews, monkeypatch, columns):
    from rich.console import Console

    from promptkit import check_data

    with open("out.txt", "w", encoding="utf-8") as file:
        Console(file=file, width=int(columns)).print(check_data(reviews).table)
    lines = Path("out.txt").read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= int(columns)
    assert any("severity" in line for line in lines) == (columns == "140")


@pytest.mark.parametrize("suffix", [".json", ".csv", ".md"])
def test_a_report_is_written_too(promptkit, home, reviews, suffix):
    status, out, _ = promptkit("data", "check", reviews, "--output", f"report{suffix}")
    assert status == 0
    assert f"written: report{suffix}" in out
    text = (home / f"report{suffix}").read_text(encoding="utf-8")
    if suffix == ".json":
        found = {one["kind"]: one for one in json.loads(text)["findings"]}
        assert found["empty"]["rows"][0]["line"] == 43
        assert found["copy"]["rows"][0]["other"]["line"] == 2
    elif suffix == ".csv":
        rows = list(csv.DictReader(text.splitlines()))
        assert {"severity": "breaks", "finding": "empty"}.items() <= rows[0].items()
    else:
        assert "| breaks | rows without text |" in text


def test_strict_is_an_exit_status(promptkit, home, reviews):
    assert promptkit("data", "check", reviews, "--strict")[0] == 1
    lines = [f"{text},{'xy'[n % 2]}" for n, text in enumerate(TEXTS)]
    (home / "clean.csv").write_text("text,label\n" + "\n".join(lines) + "\n")
    status, out, _ = promptkit("data", "check", "clean.csv", "--strict", "--near", "none")
    assert (status, "nothing found" in out) == (0, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["no.csv"], "no such file or folder"),
        (["reviews.csv", "--near", "2"], "--near 2.0: give a similarity from 0.5 to 1"),
        (["reviews.csv", "--near", "x"], "--near 'x': give a similarity"),
        (["reviews.csv", "--language", "xx"], "--language 'xx'"),
        (["reviews.csv", "--output", "x.txt"], "must end in .json, .csv, .md"),
        (["reviews.csv", "--output", "no/x.csv"], "no such folder no"),
        (["reviews.csv", "--output", "reviews.csv"], "is the file of rows itself"),
        (["reviews.csv", "--text-field", "text"], "no column 'text'"),
        (["reviews.csv", "--text-field", "a", "--field", "b=c"], "not both"),
        (["reviews.csv", "--model", "nothing"], "no model named 'nothing'"),
        (["reviews.csv", "--max-length", "0"], "--max-length 0: must be at least 1"),
    ],
)
def test_what_is_wrong_is_one_line(promptkit, reviews, options, said):
    status, out, err = promptkit("data", "check", *options)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_a_split_is_a_folder_that_other_commands_read(promptkit, home, reviews):
    status, out, err = promptkit("data", "split", reviews, "--output", "parts",
                                 "--keep-duplicates-together")  # fmt: skip
    assert (status, err) == (0, "")
    assert "no text stands in two parts" in out
    assert "written: parts (split.json says how)" in out
    sizes = {
        path.name: len(list(csv.reader(path.read_text().splitlines()))) - 1
        for path in (home / "parts").glob("*.csv")
    }
    assert sizes == {"train.csv": 35, "validation.csv": 4, "test.csv": 4}
    status, out, _ = promptkit("data", "check", "parts")
    assert status == 0
    assert "train 35, validation 4, test 4" in " ".join(out.split())
    assert "stand in an earlier split" not in out


def test_a_split_by_time_says_its_borders(promptkit, reviews):
    _, out, _ = promptkit("data", "split", reviews, "-o", "parts", "--time-field", "date",
                          "--fractions", "0.8,0.2")  # fmt: skip
    assert "2024-02-02" in out
    assert "from" in out


def test_a_split_by_groups_tells_what_a_check_would_find(promptkit, reviews):
    _, out, _ = promptkit("data", "split", reviews, "-o", "parts", "--group-field", "user",
                          "--fractions", "0.5,0.5", "--seed", "1")  # fmt: skip
    assert (
        "asked for: groups stay whole" in out
        or "--keep-duplicates-together" in out
        or ("no text stands in two parts" in out)
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fractions", "a,b"], "--fractions a,b: give the shares"),
        (["--fractions", "0.9,0.9"], "they must sum to 1"),
        (["--test", "99"], "there are 43 rows"),
        (["--group-field", "customer"], "nothing in the column 'customer'"),
        (["--time-field", "mood"], "a time is a number or a date"),
        (["--output", "reviews.csv"], "is a file; name a folder"),
    ],
)
def test_what_cannot_be_split_is_one_line(promptkit, home, reviews, options, said):
    status, _, err = promptkit("data", "split", reviews, "--output", "parts", *options)
    assert (status, err.count("\n")) == (2, 1)
    assert said in err
    assert not (home / "parts").exists()


def test_an_interrupted_check_writes_nothing(promptkit, home, reviews, monkeypatch):
    def stopped(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("promptkit.report.checked.inspect", stopped)
    status, _, err = promptkit("data", "check", reviews, "--output", "report.csv")
    assert (status, err) == (2, "promptkit: interrupted: nothing was written\n")
    assert not (home / "report.csv").exists()
