from dataclasses import replace

from promptkit.report.facts import facts_of
from promptkit.types import RunSpec
from tests.report.samples import record


def test_facts_are_read_from_the_spec() -> None:
    facts = facts_of(record(shots=8, seed=3, n=20))
    assert facts.template == "sentiment_zero_shot"
    assert (facts.model, facts.backend) == ("sentence-transformers/all-MiniLM-L6-v2", "embedding")
    assert (facts.data_and_split, facts.n) == ("customer_reviews test", 20)
    assert facts.prompting == "8 demonstrations by nearest, seed 3"
    assert facts.evidence == "cosine"


def test_no_shots_are_zero_shot_whatever_the_selector() -> None:
    assert facts_of(record(shots=0)).prompting == "zero-shot"


def test_one_shot_is_singular_and_a_selector_may_be_a_bare_name() -> None:
    run = record(shots=1)
    spec = replace(run.spec, strategy={"name": "in_context", "shots": 1, "selector": "bm25"})
    assert facts_of(replace(run, spec=spec)).prompting == "1 demonstration by bm25, seed 0"


def test_a_spec_that_says_nothing_is_no_error() -> None:
    facts = facts_of(replace(record(), spec=RunSpec(data={}, template={}, backend={}, strategy={})))
    assert (facts.template, facts.model, facts.data, facts.split) == ("unknown",) * 3 + ("",)
    assert facts.prompting == "unknown"


def test_a_strategy_without_shots_is_called_by_its_name() -> None:
    run = record()
    spec = replace(run.spec, strategy={"name": "probe"})
    assert facts_of(replace(run, spec=spec)).prompting == "probe"


def test_several_prompts_are_told_by_the_first_and_how_they_are_put_together() -> None:
    run = record()
    member = {"name": "in_context", "shots": 4, "selector": {"name": "balanced"}}
    strategy = {"name": "ensemble", "how": "vote", "members": [member] * 3}
    facts = facts_of(replace(run, spec=replace(run.spec, strategy=strategy, seed=2)))
    assert facts.prompting == "4 demonstrations by balanced, seed 2, vote of 3 prompts"
