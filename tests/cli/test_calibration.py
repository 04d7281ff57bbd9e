"""Calibrations, selectors and several prompts, as they are asked for on the command line."""

import json

import pytest

ASKED = ("eval", "-t", "sentiment_zero_shot", "--backend", "fake", "--limit", 20)


def scores(promptkit, *options):
    status, out, err = promptkit(*ASKED, *options, "--format", "json")
    assert status == 0, err
    return json.loads(out)


def notes(found):
    runs = found["runs"] if "runs" in found else found
    return json.dumps(runs)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("batch",), "batch calibration learned from 120 training rows, their labels unread"),
        (
            ("batch", "--calibration-rows", "evaluated"),
            "learned from the evaluated rows themselves, their labels unread",
        ),
        (("contextual",), "contextual calibration asked about texts without content"),
        (
            ("contextual", "--calibration-option", 'content_free=["-"]'),
            "contextual calibration asked about texts without content",
        ),
        (("domain",), "learned from the words of 120 training rows, their labels unread"),
        (("pmi",), "pmi calibration asked what is answered without any row"),
        (("platt",), "platt calibration learned from 120 training rows, their labels read"),
        (("channel",), "each row's text is scored behind every label"),
    ],
)
def test_the_table_says_what_a_calibration_saw(promptkit, options, told):
    assert told in notes(scores(promptkit, "--calibration", *options))


def test_rows_of_a_file_are_named_in_the_run_and_their_labels_are_not_needed(promptkit, home):
    lines = [json.dumps({"text": f"an unlabelled text {i}"}) for i in range(30)]
    (home / "more.jsonl").write_text("\n".join(lines) + "\n")
    options = ("--calibration", "batch", "--calibration-rows", "more.jsonl")
    first = notes(scores(promptkit, *options))
    assert "batch calibration learned from 30 rows of more.jsonl, their labels unread" in first
    assert '"calibration_rows": {"name": "more"' in first
    (home / "more.jsonl").write_text("\n".join(lines[:20]) + "\n")
    assert "learned from 20 rows of more.jsonl" in notes(scores(promptkit, *options))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--calibration", "bacth"), "did you mean 'batch'"),
        (("--calibration", "temperature", "--calibration-rows", "evaluated"), "reads labels"),
        (("--calibration-rows", "train"), "--calibration-rows without --calibration"),
        (("--calibration", "pmi", "--calibration-rows", "train"), "learns from no rows"),
        (("--calibration", "batch", "--calibration-rows", "none.csv"), "none.csv: no such file"),
        (("--calibration", "pmi", "--calibration-option", "premis=x"), "did you mean 'premise'"),
        (
            ("--calibration", "platt", "--train-data", "customer_reviews", "--data",
             "customer_reviews", "--split", "train", "--limit", 120),
            "that are not evaluated",
        ),
        (("--shots", "2", "--selector", "mmr", "--selector-option", "diversty=1"), "'diversity'"),
        (("--ensemble", "means", "--shots", "2", "--draws", "2"), "ensemble"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(promptkit, options, said):
    status, _, err = promptkit(*ASKED, *options)
    assert status == 2
    assert said in " ".join(err.split())


def test_several_prompts_are_told_in_the_table(promptkit):
    status, out, err = promptkit(*ASKED, "--shots", 2, "--draws", 3, "--ensemble", "vote")
    assert status == 0, err
    assert "2 demonstrations by balanced, seed 0, vote of 3 prompts" in " ".join(out.split())
    assert "each row is asked about in 3 ways" in " ".join(out.split())
