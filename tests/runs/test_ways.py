"""What is varied around an evaluation, and what is not, and why."""

import pytest

from promptkit.errors import DataError, SpecError
from promptkit.runs import EvalSpec
from promptkit.runs.ways import Factor, bounded, ways_of


def asked(**options):
    given = {"template": "sentiment_zero_shot", "backend": "fake", "limit": 6, "robustness": True}
    return EvalSpec(**{**given, **options})


def levels(ways):
    return {factor.key: factor.levels for factor in ways.factors}


def factor(key, n):
    return Factor(key, key, tuple(range(n)), tuple(map(str, range(n))))


def test_demonstrations_are_drawn_anew_and_templates_are_those_in_the_box(home):
    found = ways_of(asked(shots=2, seed=7))
    assert levels(found) == {
        "template": (
            "sentiment_zero_shot",
            "sentiment_cloze",
            "sentiment_few_shot",
            "tweet_sentiment_zero_shot",
        ),
        "seed": (7, 8, 9),
        "order": ("as_selected", "interleaved", "random"),
    }
    assert any("label order: template sentiment_zero_shot lists no" in x for x in found.left_out)


def test_the_first_way_is_what_was_asked_for(home):
    told = asked(shots=2, seed=7, template="topic_zero_shot", data="news_topics", permutation=2)
    found = ways_of(told)
    first = found.asked_at([0] * len(found.factors))
    for key in ("template", "seed", "permutation", "shots", "data"):
        assert getattr(first, key) == getattr(told, key)
    assert first.robustness is False
    assert first.templates == []


def test_every_template_gets_the_shots_and_data_of_the_first(home):
    found = ways_of(asked())  # sentiment_few_shot shows 8 by itself
    assert found.asked.shots == 0
    assert found.asked.data == "customer_reviews"
    assert "draw of demonstrations: prompts show none; add --shots" in found.left_out


def test_seeds_say_how_many_draws(home):
    assert levels(ways_of(asked(shots=2, seeds=5, robustness_runs=99)))["seed"] == (0, 1, 2, 3, 4)


@pytest.mark.parametrize("selector", ["nearest", "bm25"])
def test_a_selector_that_draws_nothing_is_not_drawn_again(home, selector):
    found = ways_of(asked(shots=2, selector=selector))
    assert "seed" not in levels(found)
    assert f"draw of demonstrations: selector {selector} draws none; " in " ".join(found.left_out)


def test_named_demonstrations_are_not_drawn(home):
    (home / "rows.csv").write_text("id,text,label\na,good,positive\nb,bad,negative\n")
    told = asked(
        data="rows.csv", train_data="rows.csv", shots=1, selector="fixed",
        selector_options={"ids": ["a", "b"]},
    )  # fmt: skip
    assert "seed" not in levels(ways_of(told))


def test_samples_are_drawn_where_a_model_writes(home):
    told = asked(
        template="word_problems", strategy="generate", strategy_options={"temperature": 1.0}
    )
    (found,) = ways_of(told).factors
    assert (found.key, found.word, found.levels) == ("seed", "draw of samples", (0, 1, 2))


def test_two_labels_have_two_orders(home):
    told = asked(template="topic_zero_shot", data="news_topics", labels=["world", "sports"])
    (found,) = ways_of(told).factors
    assert found.key == "permutation"
    assert len(found.levels) == 2


def test_choices_of_rows_have_orders_and_templates_without_a_list_make_way(home):
    found = ways_of(asked(template="multiple_choice_letters"))
    assert levels(found) == {"permutation": (0, 1, 2)}
    assert any("template multiple_choice is left out" in note for note in found.notes)
    named = ways_of(asked(template="multiple_choice_letters", templates=["multiple_choice"]))
    assert levels(named) == {"template": ("multiple_choice_letters", "multiple_choice")}
    assert any("template multiple_choice lists no choices" in x for x in named.left_out)


def test_what_an_encoder_does_not_read_is_not_varied(home):
    found = ways_of(asked(backend="auto", template="sentiment_zero_shot"))
    assert "sentiment_few_shot" not in levels(found)["template"]
    assert any("sentiment_few_shot is left out: this model reads" in x for x in found.notes)
    with pytest.raises(SpecError, match="reads no list of labels"):
        ways_of(asked(backend="auto", template="topic_zero_shot", data="news_topics"))


def test_orders_of_demonstrations_are_varied_where_they_can_be_said(home):
    found = ways_of(asked(shots=2))
    if "order" in EvalSpec.model_fields:
        assert levels(found)["order"] == ("as_selected", "interleaved", "random")
        assert "order" not in levels(ways_of(asked(shots=1)))
    else:
        assert any(one.startswith("order of demonstrations: ") for one in found.left_out)


@pytest.mark.parametrize(
    ("sizes", "n", "kept"),
    [
        ([4, 3, 3], 36, [4, 3, 3]),
        ([4, 3, 3], 35, [3, 3, 3]),
        ([4, 3, 3, 3], 36, [3, 3, 2, 2]),
        ([4, 3], 2, [2, 1]),
    ],
)
def test_levels_are_taken_off_the_factor_with_the_most(sizes, n, kept):
    factors = [factor(key, size) for key, size in zip("abcd", sizes, strict=False)]
    found, told = bounded(factors, n)
    assert [len(one.levels) for one in found] == kept
    assert [one.levels for one in found] == [tuple(range(size)) for size in kept]
    assert bool(told) == (sizes != kept)


def test_what_was_taken_off_is_told(home):
    found = ways_of(asked(shots=1, robustness_runs=6))
    assert [len(one.levels) for one in found.factors] == [3, 2]
    (note,) = [one for one in found.notes if "--robustness-runs" in one]
    assert note == (
        "12 combinations are more than --robustness-runs 6: levels were taken off (3 of 4 for "
        "template, 2 of 3 for draw of demonstrations)"
    )


def test_a_factor_that_is_left_with_one_level_says_why(home):
    found = ways_of(asked(shots=1, robustness_runs=2))
    assert [one.key for one in found.factors] == ["template"]
    assert any("draw of demonstrations: 12 combinations are more" in x for x in found.left_out)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"strategy": "features"}, "strategy 'features' learns from rows instead.*--seeds 5"),
        ({"template": "word_problems"}, "nothing can be varied here .template: no other"),
        ({"templates": ["topic_zero_shot"]}, "does not go with 'sentiment_zero_shot'"),
        ({"templates": ["topik"]}, "no template named 'topik'"),
        ({"template": None}, "needs a template"),
    ],
)
def test_what_cannot_be_varied_is_said(home, options, said):
    with pytest.raises(SpecError, match=said):
        ways_of(asked(**options))


def test_rows_without_labels_cannot_be_scored(home):
    (home / "rows.jsonl").write_text('{"text": "good", "label": null}\n')
    with pytest.raises(DataError):
        ways_of(asked(data="rows.jsonl"))
