"""``promptkit runs diff``, as a user calls it."""

import json

import pytest

FAKE = ("eval", "--backend", "fake", "--format", "json")


@pytest.fixture
def runs(promptkit):
    """Fingerprints of two runs on the same rows, and of one on others."""

    def fingerprint(*options):
        _, out, _ = promptkit(*FAKE, *options)
        found = json.loads(out)
        return (found[0] if isinstance(found, list) else found["runs"][0])["fingerprint"]

    return (
        fingerprint("-t", "sentiment_zero_shot"),
        fingerprint("-t", "sentiment_few_shot"),
        fingerprint("-t", "news_topic_zero_shot"),
    )


def test_two_runs_are_compared_by_the_beginnings_of_their_fingerprints(promptkit, runs):
    status, out, err = promptkit("runs", "diff", runs[0][:6], runs[1][:6])
    assert (status, err) == (0, "")
    for part in ("first − second", "McNemar", "cr-test-", "240"):
        assert part in out
    _, every, _ = promptkit("runs", "diff", *runs[:2], "--all")
    assert every.count("cr-test-") > out.count("cr-test-") == 10


def test_json_for_other_programs(promptkit, runs):
    _, out, err = promptkit("runs", "diff", *runs[:2], "--format", "json")
    assert err == ""
    assert json.loads(out)["n"] == 240


@pytest.mark.parametrize(
    ("second", "options", "said"),
    [
        (2, (), "share no row"),
        (0, (), "both are run"),
        (1, ("--format", "csv"), "--format csv: known: table, json"),
    ],
)
def test_what_cannot_be_compared_is_one_line(promptkit, runs, second, options, said):
    status, out, err = promptkit("runs", "diff", runs[0], runs[second], *options)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_run_that_was_not_finished_says_what_to_do(promptkit, runs, home):
    (home / ".promptkit" / "runs" / runs[1] / "record.json").unlink()
    status, _, err = promptkit("runs", "diff", *runs[:2])
    assert status == 2
    assert "was not finished; run its command again" in err
