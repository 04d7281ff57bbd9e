"""``promptkit label-errors`` as a user sees it."""

import csv
import json


def test_suspects_come_first_and_copies_that_disagree_are_told(promptkit, home):
    from promptkit.data import load

    rows = [[row.id, row.fields["text"], row.label]
            for row in load("customer_reviews", split="train")][:60]  # fmt: skip
    other = {"negative": "positive", "positive": "negative", "neutral": "negative"}
    rows[4][2] = other[rows[4][2]]
    rows.append(["copy", rows[9][1].upper(), other[rows[9][2]]])
    with (home / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "text", "label"), *rows])
    status, told, error = promptkit("label-errors", "--data", "rows.csv", "--output", "out.csv")
    assert status == 0, error
    assert "suspected labels, the most suspicious first" in told
    assert "same text, several labels" in told
    assert "copy" in told
    assert "each is a suspicion" in told
    assert max(map(len, told.splitlines())) <= 100
    with (home / "out.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == ["id", "text", "label", "suggested", "probability", "quality"]
    assert [float(line["quality"]) for line in lines] == sorted(
        float(line["quality"]) for line in lines
    )
    status, told, _ = promptkit("label-errors", "--data", "rows.csv", "--format", "json",
                                "--strategy", "tfidf", "--folds", 3)  # fmt: skip
    found = json.loads(told)
    assert (status, found["n"], found["strategy"]) == (0, 61, "tfidf")
    assert sorted(found["contradictions"][0]["ids"]) == sorted([rows[9][0], "copy"])


def test_what_cannot_be_is_refused_before_the_work(promptkit, home):
    for more, said in (
        (["--format", "yml"], "--format 'yml'"),
        (["--output", "x.docx"], "the name must end in"),
        (["--folds", "1"], "folds is 1"),
        (["--strategy", "feature"], "did you mean 'features'"),
    ):
        status, _, error = promptkit("label-errors", "--data", "customer_reviews", *more)
        assert status == 2, error
        assert said in error
