"""``promptkit eval --robustness`` prints the spread of a score, and what makes it."""

import json

import pytest

ASKED = ("eval", "-t", "sentiment_zero_shot", "--backend", "fake", "--limit", 8, "--robustness")


def test_it_prints_best_median_and_worst(promptkit):
    status, out, err = promptkit(*ASKED, "--shots", 2)
    assert status == 0, err
    for part in ("best", "median", "worst", "share of", "together (interaction)", "not varied"):
        assert part in out
    factors = "36 = 4 (template) x 3 (draw of demonstrations) x 3 (order of demonstrations)"
    assert factors in " ".join(out.split())


def test_templates_and_runs_can_be_said(promptkit):
    told = ("--shots", 1, "--templates", "sentiment_cloze,sentiment_few_shot")
    status, out, _ = promptkit(*ASKED, *told, "--robustness-runs", 6, "--format", "json")
    assert status == 0
    found = json.loads(out)
    assert [one["name"] for one in found["factors"][0]["levels"]] == [
        "sentiment_zero_shot",
        "sentiment_cloze",
        "sentiment_few_shot",
    ]
    assert len(found["runs"]) == 6
    assert "9 combinations are more than --robustness-runs 6" in found["notes"][0]


def test_a_spec_file_says_it_too(promptkit, home):
    (home / "mine.yaml").write_text(
        "template: sentiment_zero_shot\nbackend: fake\nlimit: 8\nrobustness: true\n"
        "templates: [sentiment_cloze]\n"
    )
    status, out, err = promptkit("eval", "mine.yaml")
    assert status == 0, err
    assert "2 = 2 (template)" in out


@pytest.mark.parametrize("suffix", ["json", "csv", "md"])
def test_files_are_written_by_their_suffix(promptkit, home, suffix):
    assert promptkit(*ASKED, "--output", f"out.{suffix}")[0] == 0
    text = (home / f"out.{suffix}").read_text()
    start = {"json": "{", "csv": "fingerprint,model", "md": "## Robustness of accuracy"}
    assert text.startswith(start[suffix])


def test_the_runs_are_in_the_store(promptkit):
    promptkit(*ASKED)
    status, out, _ = promptkit("runs", "list")
    assert status == 0
    assert "tweet_sentiment_zero_shot" in out
    assert "4 from the store" in promptkit(*ASKED)[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--predictions", "p.csv"), "--predictions is for one run"),
        (("--output", "out.txt"), "--output out.txt: the name must end in .json, .csv, .md"),
        (("--strategy", "features"), "strategy 'features' learns from rows instead"),
        (("--robustness-runs", "1"), "robustness_runs"),
    ],
)
def test_what_is_wrong_is_one_line_before_the_work(promptkit, options, said):
    status, out, err = promptkit(*ASKED, *options)
    assert status == 2
    assert said in " ".join(err.split())
    assert out == ""
