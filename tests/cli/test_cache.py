"""``promptkit cache``, and what ``promptkit eval`` says of known answers."""

import pytest


@pytest.fixture(autouse=True)
def no_other_place(monkeypatch):
    monkeypatch.delenv("PROMPTKIT_CACHE", raising=False)


def evaluate(promptkit, *options):
    status, out, err = promptkit("eval", "-t", "sentiment_zero_shot", "--backend", "fake", *options)
    assert status == 0, err
    return out


def test_known_rows_are_counted_in_the_table(promptkit):
    assert "cache:" not in evaluate(promptkit, "--cache", "--limit", 100)
    out = evaluate(promptkit, "--cache")
    assert "cache: 100 of 240 rows" in out
    assert "cache: 100 of 240 rows" in evaluate(promptkit, "--format", "markdown")


def test_a_run_whose_rows_are_all_known_has_no_speed(promptkit):
    evaluate(promptkit, "--cache")
    out = evaluate(promptkit, "--cache", "--limit", 30)
    assert "cache: 30 of 30 rows" in out
    assert "rows/s" not in out


def test_info_says_where_they_are_and_whose(promptkit):
    status, out, _ = promptkit("cache", "info")
    assert (status, out) == (0, "no answers in .promptkit/cache/responses.sqlite\n")
    evaluate(promptkit, "--cache")
    status, out, _ = promptkit("cache", "info")
    assert status == 0
    assert ".promptkit/cache/responses.sqlite" in out
    assert [line.split()[:3] for line in out.splitlines() if line.startswith("fake")] == [
        ["fake", "fake", "240"]
    ]


def test_clear_removes_those_of_a_model_or_old_ones(promptkit):
    evaluate(promptkit, "--cache")
    assert "0 answers removed" in promptkit("cache", "clear", "--older-than", 1)[1]
    status, out, err = promptkit("cache", "clear", "--model", "fak")
    assert (status, out) == (2, "")
    assert "no answers of model 'fak'; did you mean 'fake'?" in err
    assert "240 answers removed" in promptkit("cache", "clear", "--model", "fake")[1]
    assert "no answers" in promptkit("cache", "info")[1]
    assert "--older-than -1" in promptkit("cache", "clear", "--older-than", -1)[2]


def test_another_folder_is_looked_at_when_told(promptkit, home):
    evaluate(promptkit, "--cache-folder", "elsewhere", "--limit", 7)
    assert "no answers" in promptkit("cache", "info")[1]
    assert "7 answers removed" in promptkit("cache", "clear", "--cache-folder", "elsewhere")[1]


def test_a_damaged_file_is_one_line_and_the_run_ends(promptkit, home):
    folder = home / ".promptkit" / "cache"
    folder.mkdir(parents=True)
    (folder / "responses.sqlite").write_text("no database at all " * 200)
    status, out, err = promptkit(
        "eval", "-t", "sentiment_zero_shot", "--backend", "fake", "--cache"
    )
    assert status == 0
    assert "accuracy" in out
    assert err.count("promptkit:") == 1
    assert "is damaged (file is not a database); it is now responses.sqlite.damaged-" in err
    assert "240" in promptkit("cache", "info")[1]


@pytest.mark.parametrize("command", [(), ("info",), ("clear",)])
def test_its_help_shows_how_it_is_called(promptkit, command):
    status, out, _ = promptkit("cache", *command, "--help")
    assert status == 0
    assert "promptkit cache" in out
