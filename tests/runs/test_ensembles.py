"""Several prompts about each row, from a spec to one record."""

import pytest

from promptkit.errors import SpecError
from promptkit.runs import EvalSpec, Store, build, run
from promptkit.runs.parts import selector_for


def asked(**options):
    given = {"template": "sentiment_zero_shot", "backend": "fake", "limit": 12}
    return EvalSpec(**{**given, **options})


def members(**options):
    return build(asked(**options)).spec.strategy["members"]


def test_all_templates_of_the_task_answer_each_row_once(home):
    found = members(templates=["all"])
    names = [one["template"]["name"] for one in found]
    assert names[0] == "sentiment_zero_shot"
    assert {"sentiment_cloze", "sentiment_few_shot", "tweet_sentiment_zero_shot"} <= set(names)
    assert {one["shots"] for one in found} == {0}  # sentiment_few_shot shows 8 by itself
    record = run(build(asked(templates=["all"])))
    assert {p.kind for p in record.predictions} == {f"hash, mean of {len(found)}"}
    assert all(0 < p.agreement <= 1 for p in record.predictions)
    assert any("asked about in" in note and "their mean" in note for note in record.notes)


def test_draws_have_seeds_of_their_own_and_permutations_orders(home):
    found = members(shots=2, draws=3, seed=5)
    assert [one["seed"] for one in found] == [5, 6, 7]
    found = members(template="news_topic_zero_shot", permutations=4, shots=1, draws=2)
    assert len(found) == 8
    assert len({one["template"]["hash"] for one in found}) == 4


def test_choices_are_permuted_and_each_letter_stands_for_each_choice(home):
    trial = build(asked(template="multiple_choice_letters", data=None, permutations=3, limit=4))
    record = run(trial)
    assert [len(p.log_p) for p in record.predictions] == [
        len(row.fields["choices"]) for row in trial.data
    ]


def test_a_stored_ensemble_is_answered_without_a_model(home, monkeypatch):
    from promptkit.runs import parts

    first = run(build(asked(templates=["all"], calibration="batch")), Store())
    monkeypatch.setattr(parts, "load_backend", None)
    again = run(build(asked(templates=["all"], calibration="batch")), Store())
    assert again.from_store
    assert again.predictions == first.predictions


def test_how_answers_are_put_together_changes_the_run_and_its_name(home):
    mean, vote = (build(asked(shots=2, draws=3, ensemble=how)).spec for how in ("mean", "vote"))
    assert mean.fingerprint() != vote.fingerprint()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"draws": 2}, "--draws 2: prompts show none; add --shots"),
        ({"draws": 2, "shots": 2, "selector": "bm25"}, "selector 'bm25' draws none"),
        ({"permutations": 2}, "lists no labels in its prompts"),
        ({"templates": ["topic_zero_shot"]}, "does not go with"),
        ({"templates": ["sentiment_zero_shot"]}, "reads the same in each of them"),
        ({"draws": 2, "shots": 2, "strategy": "generate"}, "take several with --option samples"),
        ({"draws": 2, "strategy": "features"}, "--draws is for prompting"),
    ],
)
def test_what_is_no_ensemble_is_said_at_once(home, options, said):
    with pytest.raises(SpecError, match=said):
        build(asked(**options))


def test_two_labels_have_two_orders_whatever_is_asked_for(home):
    found = members(template="news_topic_zero_shot", labels=["world", "sports"], permutations=5)
    assert len(found) == 2
    assert selector_for(asked(), 0, True)[0] == "none"
