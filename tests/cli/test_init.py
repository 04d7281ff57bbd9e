"""``promptkit init``, as a user calls it."""

import shlex

import pytest


@pytest.fixture
def reviews(home):
    moods = ["good", "bad"] * 10
    lines = [f"what customer number {i} wrote to us,{mood}" for i, mood in enumerate(moods)]
    lines.insert(0, "body,mood")
    (home / "my reviews.csv").write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    return "my reviews.csv"


def test_it_says_what_it_found_and_the_commands_it_prints_work(promptkit, home, reviews):
    status, out, err = promptkit("init", reviews)
    assert (status, err) == (0, "")
    for part in ("20 rows, 2 columns", "'mood'", "wrote my_reviews_template.yaml", "next"):
        assert part in out
    commands = [line.strip() for line in out.splitlines() if line.startswith("  promptkit ")]
    assert [command.split()[1] for command in commands] == ["preview", "eval", "compare"]
    for command in commands[:2]:
        status, _, err = promptkit(*shlex.split(command)[1:], "--backend", "fake")
        assert (status, err) == (0, "")
    assert shlex.split(commands[2])[1:] == [
        "compare", "--data", "my reviews.csv", "--text-field", "body", "--label-field", "mood",
        "--template", "my_reviews_template.yaml",
    ]  # fmt: skip
    status, out, _ = promptkit("templates", "lint", "my_reviews_template.yaml")
    assert status == 0
    assert out.startswith("right")


def test_it_writes_where_it_is_told_and_writes_over_nothing(promptkit, home, reviews):
    assert promptkit("init", reviews, "--output", "mine")[0] == 0
    assert (home / "mine" / "my_reviews.yaml").is_file()
    status, _, err = promptkit("init", reviews, "--output", "mine")
    assert status == 2
    assert "--force writes over it" in err
    assert promptkit("init", reviews, "--output", "mine", "--force")[0] == 0


def test_a_file_that_cannot_be_used_is_one_line(promptkit, home):
    (home / "a.csv").write_text("a,b\n1,2\n")
    status, out, err = promptkit("init", "a.csv")
    assert (status, out) == (2, "")
    assert "no column reads like text (it has a, b); say which with --text-field" in err
    assert err.count("\n") == 1


def test_columns_can_be_named(promptkit, home):
    lines = ["a,b,c", *(f"{i},{'xy'[i % 2]},{'uv'[i // 2 % 2]}" for i in range(12))]
    (home / "a.csv").write_text("\n".join(lines) + "\n")
    status, out, _ = promptkit("init", "a.csv", "--text-field", "a", "--label-field", "c")
    assert status == 0
    assert "does not read like free text" in out
