"""``promptkit eval --strategy``: the same command for every way of adapting."""

import csv
import io
import json

import pytest

from promptkit.cli.options import option_values
from promptkit.errors import SpecError


def test_a_learned_strategy_is_evaluated_on_the_test_rows(promptkit):
    status, out, err = promptkit("eval", "-t", "sentiment_zero_shot", "--strategy", "majority")
    assert (status, err) == (0, "")
    for part in ("strategy  majority, 120 training rows", "customer_reviews test, 240 rows"):
        assert part in out
    assert "zero-shot" not in out
    assert "template" not in out
    assert "store" in promptkit("eval", "-t", "sentiment_zero_shot", "--strategy", "majority")[1]


def test_options_of_the_strategy_are_shown_and_checked(promptkit):
    command = ("eval", "--data", "customer_reviews", "--strategy", "tfidf")
    status, out, _ = promptkit(*command, "--option", "reading=prompt")
    assert status == 0
    assert "tfidf (reading prompt), 120 training rows" in out
    status, _, err = promptkit(*command, "--option", "raeding=prompt")
    assert status == 2
    assert "did you mean 'reading'" in err


def test_seeds_of_a_strategy_that_draws_nothing_run_once_and_say_why(promptkit):
    _, _, err = promptkit("eval", "--data", "customer_reviews", "--strategy", "majority",
                          "--seeds", 3)  # fmt: skip
    assert err.count("its fits draw nothing") == 1


def test_seeds_of_a_strategy_that_draws_are_tabulated(promptkit):
    status, out, _ = promptkit("eval", "--data", "customer_reviews", "--strategy", "random",
                               "--seeds", 3)  # fmt: skip
    assert status == 0
    assert "strategy   random" in out
    assert "how far a fit's chance moves the scores" in out


def test_stored_runs_of_strategies_are_listed_and_exported(promptkit):
    promptkit("eval", "--data", "customer_reviews", "--strategy", "majority")
    assert "customer_reviews" in promptkit("runs", "list")[1]
    command = ("eval", "--data", "customer_reviews", "--strategy", "majority", "--format")
    (run,) = json.loads(promptkit(*command, "json")[1])
    assert run["spec"]["strategy"]["name"] == "majority"
    assert "## majority" in promptkit(*command, "markdown")[1]
    rows = list(csv.DictReader(io.StringIO(promptkit(*command, "csv")[1])))
    assert {row["strategy"] for row in rows} == {"majority"}


def test_prompting_takes_its_options_the_same_way(promptkit):
    status, out, _ = promptkit("eval", "-t", "sentiment_zero_shot", "--backend", "fake",
                               "--option", "shots=2", "--option", "selector=random")  # fmt: skip
    assert status == 0
    assert "2 demonstrations by random, seed 0" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--strategy", "majorty", "--data", "customer_reviews"), "did you mean 'majority'"),
        (("--strategy", "majority"), "no rows given"),
        (("--option", "layer=4"), "no template given"),
        (("--strategy", "majority", "--data", "entailment"), "--text-field COLUMN"),
    ],
)
def test_what_is_wrong_is_one_line(promptkit, arguments, said):
    status, out, err = promptkit("eval", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_values_of_options_have_types():
    given = ["layer=4", "pooling=mean", "layers=[1, 2]", "balanced=true", "name='7'", "c=1e-3"]
    assert option_values([*given, "off=null", "min-df=2", "odd=NaN", "eq=a=b"]) == {
        "layer": 4,
        "pooling": "mean",
        "layers": [1, 2],
        "balanced": True,
        "name": "7",
        "c": 1e-3,
        "off": None,
        "min_df": 2,
        "odd": "NaN",
        "eq": "a=b",
    }
    for wrong in (["layer"], ["=4"], ["a=1", "a=2"]):
        with pytest.raises(SpecError):
            option_values(wrong)
