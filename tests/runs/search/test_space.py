"""A space holds what fits the rows, the simplest first, and says what does not go together."""

import pytest

from promptkit.errors import SpecError
from promptkit.prompts import find_template
from promptkit.runs.search import SearchSpec, search_spec
from promptkit.runs.search.nouns import Part
from promptkit.runs.search.rows import rows_of
from promptkit.runs.search.space import space_of, templates_for


def everything(template):
    return True


def space(names, reads="text", rows=60, **options):
    asked = SearchSpec(data="x", backend="fake", **options)
    return space_of(asked, names, [find_template(name) for name in names], reads, rows)


def test_templates_with_the_same_fields_and_labels_fit():
    found = templates_for(["text"], ["negative", "positive"], everything)
    assert "movie_sentiment_zero_shot" in found
    assert not {"sentiment_zero_shot", "topic_zero_shot", "entailment_zero_shot"} & set(found)
    three = templates_for(["text"], ["positive", "Neutral", "negative"], everything)
    assert {"sentiment_zero_shot", "tweet_sentiment_zero_shot"} <= set(three)
    assert "sentiment_chat" not in three  # has to be asked for
    assert templates_for(["text"], ["neutral", "positive"], everything) == three
    assert "intent_zero_shot" in templates_for(["text"], ["refund", "delay"], everything)
    assert templates_for(["nothing"], ["refund", "delay"], everything) == []


def test_the_simplest_come_first():
    made, _ = space(["sentiment_zero_shot", "sentiment_few_shot"], shots=[4, 0])
    told = [(one.shots, str(one.calibration), str(one.selector)) for one in made]
    assert told[:2] == [(0, "none", "None")] * 2
    assert told[2:4] == [(0, "batch", "None")] * 2
    assert told[4:6] == [(4, "none", "balanced"), (4, "none", "nearest")]
    assert [one.place for one in made] == list(range(12))
    assert made[0].template == "sentiment_zero_shot"


def test_an_encoder_has_no_lengths_to_normalise_and_a_model_only_where_they_differ(home):
    names = ["question_type_zero_shot"]
    assert {str(one.verbalizer) for one in space(names)[0]} == {"words"}
    (home / "wide.yaml").write_text(
        "name: wide\ndescription: Mine.\ntask:\n  fields: [text]\nquery: '{{ text }}'\n"
        "labels:\n  a: {words: [not at all]}\n  b: {words: [yes]}\n"
    )
    both = {"words", "words normalize=tokens"}
    assert {str(one.verbalizer) for one in space(["wide.yaml"])[0]} == both
    assert {str(one.verbalizer) for one in space(["wide.yaml"], "statements")[0]} == {"words"}


def test_a_calibration_that_has_too_few_rows_is_left_out_or_refused():
    made, notes = space(["sentiment_zero_shot"], rows=9)
    assert {str(one.calibration) for one in made} == {"none"}
    assert notes == ["calibration 'batch' is left out: it needs 10 rows"]
    with pytest.raises(SpecError, match="'platt' needs 14 rows"):
        space(["sentiment_zero_shot"], rows=13, calibrations="none,platt")


def test_templates_that_say_the_same_to_an_encoder_count_once(home):
    lines = ["text,label"]
    lines += [f"row {i},{('negative', 'neutral', 'positive')[i % 3]}" for i in range(30)]
    (home / "rows.csv").write_text("\n".join(lines) + "\n")
    found = rows_of(SearchSpec(data="rows.csv")).names
    assert "sentiment_zero_shot" in found or "sentiment_few_shot" in found
    assert not {"sentiment_zero_shot", "sentiment_few_shot"} <= set(found)
    text = rows_of(SearchSpec(data="rows.csv", backend="fake")).names
    assert {"sentiment_zero_shot", "sentiment_few_shot"} <= set(text)


def test_a_spec_is_read_from_a_file_and_overridden(home):
    (home / "specs").mkdir()
    (home / "specs" / "mine.yaml").write_text("x")
    (home / "specs" / "s.yaml").write_text(
        "data: rows.csv\ntemplates: [mine.yaml, sentiment_zero_shot]\nshots: [0, 2]\n"
        "verbalizers: [words, {name: words, normalize: bytes}]\nbudget_tokens: 1.5k\n"
        "calibrations: batch\n"
    )
    asked = search_spec("specs/s.yaml", {"shots": "4", "data": None})
    assert asked.templates == ["specs/mine.yaml", "sentiment_zero_shot"]
    assert asked.shots == [4]
    assert asked.verbalizers == [Part("words"), Part("words", {"normalize": "bytes"})]
    assert asked.calibrations == [Part("batch")]
    assert asked.budget_tokens == 1500
