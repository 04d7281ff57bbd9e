"""``promptkit eval --strategy generate`` on real rows, as a user sees it."""

import csv
import json

import pytest

from tests.chats import HYBRID, save_chatting
from tests.trained import ROWS, template_text

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def evaluate(promptkit, trained_folder, home):
    """Evaluates the trained model on the rows that it has learned."""
    (home / "same.yaml").write_text(template_text("same"), encoding="utf-8")

    def call(*more, template="same.yaml", model=trained_folder):
        rows = ("--split", "train", "--limit", ROWS) if template == "same.yaml" else ()
        return promptkit(
            "eval", "-t", template, *rows, "--model", model, "--strategy", "generate", *more
        )

    return call


def options(**given):
    return [part for key, value in given.items() for part in ("--option", f"{key}={value}")]


def scores_of(out):
    (record,) = json.loads(out)
    return {one["metric"]: one["value"] for one in record["scores"]}, record


def test_a_constrained_answer_is_always_a_label(evaluate):
    status, out, err = evaluate(*options(constrained="true"), "--format", "json")
    assert status == 0, err
    scores, record = scores_of(out)
    assert scores["accuracy"] >= 0.95
    assert record["n_unscored"] == 0
    assert "log_loss" not in scores  # there are no probabilities


def test_replies_that_are_not_read_are_unscored_shown_and_kept(evaluate, home):
    given = options(parser="regex", pattern="^ *(positive)$", max_new_tokens=3)
    status, out, err = evaluate(*given, "--predictions", "p.csv")
    assert status == 0, err
    assert "zero-shot, greedy, read by regex" in out
    assert "60 rows unscored: the reply does not fit the pattern" in out
    assert "replies that were not read" in out
    lines = list(csv.DictReader((home / "p.csv").read_text(encoding="utf-8").splitlines()))
    assert [*lines[0]] == ["id", "gold", "predicted", "tied", "problem", "text", "agreement"]
    assert all(line["text"].strip() and not line["predicted"] for line in lines)


def test_samples_vote_and_a_second_run_is_the_first(evaluate):
    given = options(parser="prefix", samples=3, temperature=0.3, max_new_tokens=8)
    first = evaluate(*given, "--format", "json", "--seed", 5)
    again = evaluate(*given, "--format", "json", "--seed", 5, "--fresh")
    assert scores_of(first[1])[0] == scores_of(again[1])[0]
    other = evaluate(*given, "--format", "json", "--seed", 6)
    assert scores_of(other[1])[1]["fingerprint"] != scores_of(first[1])[1]["fingerprint"]
    _, table, _ = evaluate(*given, "--seed", 5)
    assert "vote of 3 samples at temperature 0.3, read by prefix" in table
    assert "answered from the store" in table


def test_a_template_that_is_answered_by_a_text_needs_no_strategy(promptkit, trained_folder):
    status, out, err = promptkit(
        "eval", "-t", "word_problems", "--model", trained_folder, "--shots", 2
    )
    assert status == 0, err
    assert "2 demonstrations by balanced, seed 0, greedy, read by exact" in out
    for line in ("right number", "exact match", "most frequent answer of train (27)", "errors"):
        assert line in out
    assert "by label" not in out


def test_texts_are_exported_and_compared_row_by_row(promptkit, trained_folder, home):
    asked = ("eval", "-t", "word_problems", "--model", trained_folder)
    status, out, err = promptkit(*asked, "--predictions", "p.jsonl", "--format", "json")
    assert status == 0, err
    first = json.loads(out)[0]["fingerprint"]
    line = json.loads((home / "p.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert line["gold"] == "85"
    assert line["text"]
    second = json.loads(promptkit(*asked, "--shots", 2, "--format", "json")[1])[0]["fingerprint"]
    status, out, err = promptkit("runs", "diff", first, second)
    assert status == 0, err
    status, out, _ = promptkit("runs", "list")
    assert "word_problems" in out


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (options(parser="prefixx"), "did you mean 'prefix'"),
        (options(sample=3), "did you mean 'samples'"),
        (options(samples=3, temperature=0), "one and the same"),
        (options(parser="exact", pattern="x"), "has no option 'pattern'"),
        (("--calibration", "batch"), "--calibration is for labels that are scored"),
        (("--model", "minilm"), "reads and does not write"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(evaluate, more, told):
    status, _, err = evaluate(*more)
    assert status == 2
    assert told in err
    assert len(err.strip().splitlines()) == 1


def test_a_learner_says_who_answers_by_texts(promptkit):
    status, _, err = promptkit("eval", "-t", "word_problems", "--strategy", "tfidf")
    assert status == 2
    assert "answered by a text; use --strategy generate" in err


def test_an_unknown_metric_is_said_before_a_model_loads(promptkit, home):
    (home / "t.yaml").write_text(
        "name: t\ndescription: d\ndata: word_problems\n"
        "task: {kind: generate, fields: [question], metrics: [rouge]}\nquery: '{{ question }}'\n",
        encoding="utf-8",
    )
    status, _, err = promptkit("eval", "-t", "t.yaml")
    assert status == 2
    assert "did you mean 'rouge_l'" in err


def test_a_dry_run_goes_through_the_rows(promptkit):
    status, out, err = promptkit("eval", "-t", "word_problems", "--dry-run")
    assert status == 0, err
    assert "word_problems test, 40 rows" in out


def test_a_prompt_that_writes_is_saved_and_predicts(promptkit, trained_folder, home):
    (home / "same.yaml").write_text(template_text("same"), encoding="utf-8")
    status, _, err = promptkit(
        "tune", "--strategy", "generate", "-t", "same.yaml", "--data", "customer_reviews",
        "--model", trained_folder, *options(constrained="true"), "--output", "saved",
    )  # fmt: skip
    assert status == 0, err
    rows = home / "rows.jsonl"
    rows.write_text('{"text": "It works."}\n{"text": "It broke."}\n', encoding="utf-8")
    asked = ("predict", "--data", rows)
    status, _, err = promptkit(*asked, "--model", "saved", "--output", "out.jsonl")
    assert status == 0, err
    answers = [json.loads(line) for line in (home / "out.jsonl").read_text().splitlines()]
    assert {one["predicted"] for one in answers} <= {"negative", "neutral", "positive"}
    assert [one["reply"].strip() for one in answers] == [one["predicted"] for one in answers]
    status, _, err = promptkit(*asked, "--model", "saved", "--output", "o.jsonl", "--proba")
    assert status == 2
    assert "gives no probabilities" in err
    status, _, err = promptkit(
        *asked, "-t", "same.yaml", "--model", trained_folder, "--strategy", "generate",
        *options(parser="regex", pattern="(x+)"), "--output", "own.jsonl",
    )  # fmt: skip
    assert status == 0, err
    answers = [json.loads(line) for line in (home / "own.jsonl").read_text().splitlines()]
    assert all(one["predicted"] is None and one["reply"] and one["problem"] for one in answers)


def test_a_preview_shows_what_is_read_before_a_free_answer(promptkit, tmp_path):
    model = save_chatting(HYBRID, tmp_path / "model")
    asked = ("preview", "-t", "sentiment_chat", "--model", model)
    thinks = ("--chat-template-kwargs", "enable_thinking=true")
    _, scored, _ = promptkit(*asked)
    assert "label words" in scored
    status, out, err = promptkit(*asked, *thinks, "--strategy", "generate")
    assert status == 0, err
    assert "label words" not in out
    assert "<think>" not in out
    assert "prompt tokens" in out
    status, _, err = promptkit(*asked, *thinks)
    assert status == 2
    status, out, err = promptkit("preview", "-t", "word_problems", "--model", model)
    assert status == 0, err
    assert "A library lends 37 books" in out


def test_a_comparison_of_labels_refuses_texts(promptkit):
    status, _, err = promptkit("compare", "--data", "word_problems", "-t", "word_problems")
    assert status == 2
    assert "answered by a text" in err
