"""``promptkit tune``, called as a user calls it."""

import pytest

from tests.learner import COMPUTED, STOP_AFTER, registered  # noqa: F401

TUNE = ("tune", "--strategy", "majority", "--data", "customer_reviews", "--output", "model")


def test_a_model_is_saved_and_said_what_to_do_with_it(promptkit, home):
    status, out, err = promptkit(*TUNE)
    assert (status, err) == (0, "")
    for part in ("majority", "120 rows of customer_reviews", "3: negative, neutral, positive",
                 "promptkit eval --model model", "promptkit predict --model model"):  # fmt: skip
        assert part in out
    assert (home / "model" / "README.md").is_file()
    status, _, err = promptkit(*TUNE)
    assert status == 2
    assert "replace it with --force" in err
    assert promptkit(*TUNE, "--force")[0] == 0


@pytest.mark.usefixtures("registered")
def test_ctrl_c_gives_the_command_that_goes_on(promptkit):
    STOP_AFTER.append(5)
    command = ("tune", "--strategy", "learner", "--data", "customer_reviews", "--output", "model")
    status, _, err = promptkit(*command, "--option", "weight=2.5")
    assert status == 2
    assert "interrupted: 5 of 120 steps were done" in err
    assert err.strip().endswith(f"go on with: promptkit {' '.join(command)} --option weight=2.5")
    STOP_AFTER.clear()
    assert promptkit(*command, "--option", "weight=2.5")[0] == 0
    assert COMPUTED == list(range(120))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--strategy", "majorty", "--output", "m"), "did you mean 'majority'"),
        (("--strategy", "majority", "--output", "nowhere/m"), "no such folder nowhere"),
        (("--strategy", "majority"), "--output"),
        (("--strategy", "majority", "--output", "m", "--option", "k=1"), "no option 'k'"),
        (("--strategy", "in_context", "--output", "m"), "no template given"),
        (("--strategy", "majority", "--output", "m", "--split", "dev"), "no split 'dev'"),
    ],
)
def test_what_is_wrong_is_one_line(promptkit, home, arguments, said):
    status, out, err = promptkit("tune", "--data", "customer_reviews", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert list(home.iterdir()) == []
