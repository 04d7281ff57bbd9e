"""``promptkit label-next`` as a user sees it."""

import csv
import json

import pytest


@pytest.fixture
def pool(home):
    """The in-box reviews without their labels, and a file with some of them."""
    from promptkit.data import load

    rows = [(row.fields["text"], row.label) for row in load("customer_reviews", split="train")]
    for name, kept in (("pool.csv", [(text,) for text, _ in rows]), ("done.csv", rows[:20])):
        with (home / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "label")[: len(kept[0])], *kept])
    return home


def test_rows_are_suggested_filled_in_and_given_back(promptkit, pool):
    status, told, error = promptkit("label-next", "--data", "pool.csv", "--labelled", "done.csv",
                                    "--n", 22, "--output", "next.csv")  # fmt: skip
    assert status == 0, error
    assert "label next, the most valuable first" in told
    assert "and 2 more" in told
    assert "give the file back: --labelled next.csv" in told
    assert max(map(len, told.splitlines())) <= 100
    with (pool / "next.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == ["text", "label", "suggested", "probability", "why"]
    assert (len(lines), {line["label"] for line in lines}) == (22, {""})
    for line in lines[:5]:
        line["label"] = line["suggested"]
    with (pool / "next.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows(lines)
    status, told, error = promptkit("label-next", "--data", "pool.csv", "--labelled", "next.csv",
                                    "--n", 3, "--format", "json")  # fmt: skip
    assert status == 0, error
    found = json.loads(told)
    assert (found["n_labelled"], len(found["rows"])) == (5, 3)
    assert any("17 of 22 rows of next.csv have no label yet" in note for note in found["notes"])


def test_the_first_rows_are_drawn_and_each_format_can_be_had(promptkit, pool):
    for format, begins in (("csv", "text,label,"), ("jsonl", '{"text": '), ("markdown", "pool: ")):
        status, told, error = promptkit("label-next", "--data", "pool.csv", "--n", 2,
                                        "--format", format)  # fmt: skip
        assert status == 0, error
        assert told.startswith(begins)


def test_what_cannot_be_written_or_chosen_is_refused_before_the_work(promptkit, pool):
    for more, said in (
        (["--format", "yml"], "--format 'yml'"),
        (["--output", "x.docx"], "the name must end in"),
        (["--output", "pool.csv"], "--output pool.csv: is a file of rows itself"),
        (["--by", "margins"], "no way 'margins'"),
        (["--by", "margin"], "--by margin asks a model about labels"),
        (["--labelled", "absent.csv"], "absent.csv"),
    ):
        status, _, error = promptkit("label-next", "--data", "pool.csv", *more)
        assert status == 2, error
        assert said in error
        assert error.count("\n") == 1
