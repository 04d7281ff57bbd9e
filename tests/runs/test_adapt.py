"""Strategies by name: the options that exist are passed on, the others are named."""

import pytest

from promptkit.errors import CapabilityError, SpecError
from promptkit.prompts import find_template
from promptkit.prompts.label_rows import label_rows
from promptkit.runs.adapt import is_learned, make_strategy
from promptkit.strategies import STRATEGIES
from promptkit.strategies.reading import Reading
from tests.learner import Learner, registered  # noqa: F401

SENTIMENT = find_template("sentiment_zero_shot")


def test_prompting_is_built_from_its_parts():
    strategy = make_strategy(
        "in_context", template=SENTIMENT, backend="fake", shots=2, selector="random", seed=5
    )
    assert strategy.describe() == {"name": "in_context", "shots": 2}
    assert strategy.selector.seed == 5


def test_options_of_prompting_may_come_as_options():
    options = {"shots": 1, "backend": "fake", "verbalizer_options": {"normalize": "tokens"}}
    strategy = make_strategy("in_context", template=SENTIMENT, options=options)
    assert strategy.shots == 1


@pytest.mark.usefixtures("registered")
def test_a_learned_strategy_gets_labels_and_reading_and_what_else_it_takes():
    strategy = make_strategy("learner", template=SENTIMENT, options={"weight": 2.0}, seed=3)
    assert isinstance(strategy, Learner)
    assert strategy.labels == SENTIMENT.task.labels
    assert strategy.reading == Reading(("text",))
    assert (strategy.weight, strategy.seed) == (2.0, 3)


@pytest.mark.usefixtures("registered")
def test_a_learned_strategy_may_read_the_templates_prompt():
    strategy = make_strategy("learner", template=SENTIMENT, options={"reading": "prompt"})
    assert strategy.reading == Reading(("text",), SENTIMENT)


@pytest.mark.parametrize("name", ["contrastive", "features"])
def test_what_the_template_says_about_labels_is_learned_unless_it_is_not_wanted(name):
    strategy = make_strategy(name, template=SENTIMENT)
    assert strategy.label_rows == label_rows(SENTIMENT) != ()
    without = make_strategy(name, template=SENTIMENT, options={"statements": False})
    assert without.label_rows == ()
    assert "label_rows" in strategy.describe()
    assert "label_rows" not in without.describe()
    other = make_strategy(name, template=find_template("tweet_sentiment_zero_shot"))
    assert other.describe()["label_rows"] != strategy.describe()["label_rows"]


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("features", {"statements": "yes"}, "statements is true"),
        ("features", {"label_rows": []}, "'label_rows' is no option of it; use 'statements'"),
        ("learner", {"statements": True}, "no option 'statements'"),
        ("lerner", {}, "no strategy named 'lerner'; did you mean 'learner'"),
        ("learner", {"wieght": 1}, "no option 'wieght'; did you mean 'weight'"),
        ("learner", {"seed": 1}, "'seed' is no option of it; use --seed"),
        ("learner", {"reading": "promt"}, "did you mean 'prompt'"),
        ("in_context", {"shot": 1}, "no option 'shot'; did you mean 'shots'"),
        ("in_context", {"shots": -1}, "key 'shots'"),
    ],
)
def test_what_is_wrong_is_named(name, options, said):
    with pytest.raises(SpecError, match=said):
        make_strategy(name, template=SENTIMENT, options=options)


@pytest.mark.usefixtures("registered")
def test_rows_with_their_own_choices_cannot_be_learned():
    with pytest.raises(CapabilityError, match="brings its own choices"):
        make_strategy("learner", template=find_template("multiple_choice"))


@pytest.mark.parametrize("name", [name for name in STRATEGIES if is_learned(name)])
def test_every_learned_strategy_can_be_built_from_defaults(name):
    strategy = make_strategy(name, template=SENTIMENT)
    assert strategy.describe()["name"] == name
