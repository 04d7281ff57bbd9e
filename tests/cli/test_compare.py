"""``promptkit compare`` as a user calls it, with ways that need no model."""

from __future__ import annotations

import csv
import io
import json

import pytest

from promptkit.report.comparison_live import LiveComparison
from promptkit.runs.compare import engine

FAST = ("--strategies", "majority,random,tfidf", "--sizes", "4,all", "--seeds", "1")


@pytest.fixture
def rows(home):
    lines = [
        f"{word} number {place},{label}"
        for place in range(12)
        for word, label in (("lovely", "good"), ("broken", "bad"))
    ]
    file = home / "rows.csv"
    file.write_text("\n".join(["text,label", *lines]) + "\n")
    return file


def test_the_table_goes_to_standard_output_and_the_plan_before_it_to_the_other(promptkit, rows):
    status, out, err = promptkit("compare", "--data", rows, *FAST, "--folds", 3)
    assert status == 0
    assert "3-fold cross-validation, once" in out
    assert "→*  tfidf" in out
    assert "\nverdict\n" in out
    assert "promptkit: 3 ways, 13 cells" in err
    assert "can show differences of accuracy from about" in err
    assert "tfidf, all labelled rows: accuracy" in err


def test_the_same_command_again_answers_from_the_store(promptkit, rows):
    promptkit("compare", "--data", rows, *FAST)
    _, out, err = promptkit("compare", "--data", rows, *FAST)
    assert "from the store" in out
    assert "accuracy 1" not in err
    _, out, _ = promptkit("compare", "--data", rows, *FAST, "--fresh")
    assert "from the store" not in out


def test_test_rows_may_lie_in_another_file(promptkit, rows, home):
    (home / "test.csv").write_text("id,text,label\na,lovely thing,good\nb,broken thing,bad\n")
    status, out, _ = promptkit("compare", "--data", rows, "--test-data", "test.csv", *FAST)
    assert status == 0
    assert "test set of 2 rows, 1 draw" in out


def test_the_plan_alone_computes_no_cell(promptkit, rows):
    status, out, _ = promptkit("compare", "--data", rows, *FAST, "--plan", "--budget", "30m")
    assert status == 0
    assert "predicted time of one cell" in out
    assert "budget    30 min" in out
    assert "verdict" not in out


@pytest.mark.parametrize("format", ["json", "csv", "markdown"])
def test_other_formats_are_all_that_standard_output_holds(promptkit, rows, format):
    _, out, _ = promptkit("compare", "--data", rows, *FAST, "--format", format)
    if format == "json":
        assert json.loads(out)["verdict"]["entry"] == "tfidf"
    elif format == "csv":
        found = list(csv.DictReader(io.StringIO(out)))
        assert {row["entry"] for row in found} == {"majority", "random", "tfidf"}
    else:
        assert out.startswith("## Ways of adapting a model to rows")


@pytest.mark.parametrize("suffix", ["json", "csv", "md", "txt"])
def test_a_file_takes_its_format_from_its_name(promptkit, rows, home, suffix):
    _, out, _ = promptkit("compare", "--data", rows, *FAST, "--output", f"found.{suffix}")
    assert "tfidf" in out
    text = (home / f"found.{suffix}").read_text()
    assert "tfidf" in text
    assert "\x1b" not in text


def test_learning_curves_can_be_drawn(promptkit, rows, home):
    pytest.importorskip("matplotlib")
    status, _, err = promptkit("compare", "--data", rows, *FAST, "--plot", "curves.svg")
    assert (status, "Traceback" in err) == (0, False)
    assert "<svg" in (home / "curves.svg").read_text()


def test_columns_and_labels_may_have_other_names(promptkit, home):
    lines = [f"{place},{word} {place},{stars}" for place in range(10) for word, stars in
             (("lovely", 5), ("broken", 1))]  # fmt: skip
    (home / "odd.csv").write_text("\n".join(["nr,body,stars", *lines]) + "\n")
    status, out, err = promptkit(
        "compare", "--data", "odd.csv", "--text-field", "body", "--label-field", "stars",
        "--label-map", "1=bad,5=good", *FAST,
    )  # fmt: skip
    assert (status, err.count("Traceback")) == (0, 0)
    assert "2: bad, good" in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--budget", "soon"), "--budget soon: write a time such as 90s"),
        (("--max-memory", "lots"), "--max-memory lots: write a size"),
        (("--sizes", "8,many"), "'many' is no number of rows"),
        (("--strategies", "tfdf"), "did you mean 'tfidf'"),
        (("--folds", "1"), "key 'folds'"),
        (("--format", "jsn"), "did you mean 'json'"),
        (("--output", "no/such.csv"), "no such folder no"),
        (("--output", "table.doc"), "the name must end in .json, .csv, .md, .txt"),
        (("--plan", "--format", "json"), "--plan shows a table"),
        (("--plot", "curve.gif"), "the name must end in .svg, .png, .pdf"),
        (("--label-map", "5"), "--label-map '5'"),
    ],
)
def test_what_is_wrong_is_one_line_before_any_work(promptkit, rows, options, said):
    status, out, err = promptkit("compare", "--data", rows, *options)
    assert status == 2
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1


def test_without_rows_it_says_how_to_give_them(promptkit):
    status, _, err = promptkit("compare")
    assert status == 2
    assert "--data FILE" in err


def test_ctrl_c_says_how_to_go_on(promptkit, rows, monkeypatch):
    done = []

    def stop(self, cell, lines, seconds_left):
        done.append(cell)
        if len(done) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(LiveComparison, "finished", stop)
    status, out, err = promptkit("compare", "--data", rows, *FAST, "--fresh")
    assert status == 2
    assert out == ""
    last = err.splitlines()[-1]
    assert "interrupted: 5 of 21 cells are stored; go on with: promptkit compare" in last
    assert "--fresh" not in last


def test_ctrl_c_while_it_plans_says_so_too(promptkit, rows, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "run_pilot", stop)
    for more in ((), ("--plan",)):
        status, _, err = promptkit("compare", "--data", rows, *FAST, *more)
        assert status == 2
        assert "go on with: promptkit compare" in err


def test_a_worker_computes_cells_and_the_table_is_made_of_them(promptkit, rows, home):
    here = ("--store", home / "shared")
    status, out, err = promptkit("compare", "--data", rows, *FAST, *here, "--worker")
    assert (status, out) == (0, "21 cells computed; nothing is left\n")
    assert "trying" not in err
    status, out, _ = promptkit("compare", "--data", rows, *FAST, *here)
    assert "21 from the store" in out
    status, out, _ = promptkit("compare", "--data", rows, *FAST, *here, "--worker")
    assert out.startswith("0 cells computed")


def test_processes_share_the_work(promptkit, rows, home):
    _, alone, _ = promptkit(
        "compare", "--data", rows, *FAST, "--store", home / "a", "--format", "csv"
    )
    status, out, _ = promptkit(
        "compare", "--data", rows, *FAST, "--processes", 2, "--store", home / "b", "--format", "csv"
    )
    assert status == 0
    kept = ("entry", "size", "accuracy", "macro_f1", "p_value", "is_recommended")
    both = [
        [[line[key] for key in kept] for line in csv.DictReader(io.StringIO(text))]
        for text in (alone, out)
    ]
    assert both[0] == both[1]


def test_prices_make_an_account_of_money(promptkit, rows, home):
    (home / "prices.yaml").write_text("currency: EUR\nhour: 2.5\nlabel: 0.1\n")
    for prices in ("prices.yaml", "currency=EUR,hour=2.5,label=0.1"):
        status, out, _ = promptkit("compare", "--data", rows, *FAST, "--prices", prices)
        assert status == 0
        assert "prices in EUR, labels included" in out


def test_limits_may_be_combined_and_each_is_told(promptkit, rows):
    limits = ("--max-price", 1e-9, "--prices", "hour=1", "--max-stored", "1GiB")
    status, out, _ = promptkit("compare", "--data", rows, *FAST, *limits)
    assert status == 0
    assert "1,000 predictions cost" in out
    assert "without the limit on price" in out


def test_explained_each_sentence_names_its_cells(promptkit, rows):
    status, out, _ = promptkit("compare", "--data", rows, *FAST, "--explain")
    assert status == 0
    assert "told_apart: paired tests" in " ".join(out.split())
    assert "all/0-4" in out
    assert ".promptkit/comparisons/" in out


def test_a_report_is_a_page_and_a_table_for_a_paper(promptkit, rows, home):
    status, _, _ = promptkit("compare", "--data", rows, *FAST, "--output", "report.html")
    assert status == 0
    page = (home / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "promptkit compare --data" in page
    _, out, _ = promptkit("compare", "--data", rows, *FAST, "--format", "latex")
    assert "\\begin{tabular}" in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--max-price", 1), "--max-price needs --prices"),
        (("--prices", "hour=-1"), "hour"),
        (("--prices", "euro=1"), "euro"),
        (("--prices", "nowhere.yaml"), "nowhere.yaml"),
        (("--processes", 0), "--processes 0: give 1 or more"),
        (("--worker", "--fresh"), "leave out --fresh"),
    ],
)
def test_what_cannot_be_is_one_line(promptkit, rows, options, said):
    status, out, err = promptkit("compare", "--data", rows, *FAST, *options)
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
