"""Replies become answers, by one parser and a vote; what cannot be read is unscored and kept."""

import pytest

from promptkit.errors import CapabilityError, SpecError
from promptkit.prompts import find_template
from promptkit.prompts.written import template_from
from promptkit.selectors import SELECTORS
from promptkit.strategies.generate import Generate
from promptkit.types import Cost, Evidence, Example, Generation

REVIEWS = find_template("sentiment_zero_shot")
CHAT = find_template("sentiment_chat")
SUMS = find_template("word_problems")
ROW = Example("r", {"text": "It works."})
SUM = Example("r", {"question": "What is 3 plus 4?"}, 7)


class Scripted:
    """Writes what it was told to."""

    name, reads, cost = "scripted", "text", Cost()

    def __init__(self, *texts):
        self.texts, self.asked = texts, []

    def generate(self, prompts, sampling, choices=None, on_evidence=None):
        self.asked.append((prompts, sampling, choices))
        written = tuple(t if isinstance(t, Generation) else Generation(t) for t in self.texts)
        return [Evidence(p.example_id, (), kind="generated text", generations=written)
                for p in prompts]  # fmt: skip


def made(template=REVIEWS, *texts, **options):
    return Generate(template, Scripted(*texts), SELECTORS.build("none", {}), **options)


def said(template, row, *texts, **options):
    several = {"samples": len(texts)} if len(texts) > 1 else {}
    (prediction,) = made(template, *texts, **several, **options).fit(()).predict([row])
    return prediction


def test_a_reply_is_read_and_kept():
    found = said(REVIEWS, ROW, " Positive.\n")
    assert (found.label, found.text, found.log_p) == ("positive", " Positive.\n", None)
    assert (found.problem, found.agreement, found.kind) == ("", None, "generated text")


def test_a_reply_that_is_no_label_leaves_its_row_unscored_and_its_text_kept():
    found = said(REVIEWS, ROW, "I think positive")
    assert found.label is None
    assert found.problem == "the reply is no label (exact)"
    assert found.text == "I think positive"
    assert said(REVIEWS, ROW, "I think positive", parser="regex",
                parser_options={"pattern": "think (.+)"}).label == "positive"  # fmt: skip


def test_thoughts_are_taken_off_before_a_reply_is_read():
    found = said(CHAT, ROW, "<think>\nnegative? No.\n</think>\n\npositive")
    assert found.label == "positive"
    cut = Generation("<think>\nnegative", "length", 512)
    found = said(CHAT, ROW, cut)
    assert found.label is None
    assert "ended before its thoughts did, after 512 tokens" in found.problem
    assert found.text == "<think>\nnegative"


def test_the_answer_of_most_samples_counts_and_what_cannot_be_read_does_not_vote():
    found = said(REVIEWS, ROW, "what?", "negative", "Positive", "positive!", "hm", temperature=1.0)
    assert (found.label, found.agreement, found.tied) == ("positive", 0.4, False)
    assert found.text == "Positive"
    found = said(REVIEWS, ROW, "negative", "positive", temperature=1.0)
    assert (found.label, found.tied, found.agreement) == ("negative", True, 0.5)
    found = said(REVIEWS, ROW, "a", "b", "", temperature=1.0)
    assert (found.label, found.problem) == (None, "the reply is no label (exact)")


def test_texts_vote_in_normal_form_and_are_called_as_first_written():
    found = said(SUMS, SUM, "7", "The 7.", "8", temperature=1.0)
    assert (found.label, found.agreement) == ("7", pytest.approx(2 / 3))


def test_labels_keep_their_type():
    template = template_from(
        "name: t\ndescription: d\ntask: {fields: [text]}\nquery: '{{ text }}'\n"
        "labels: {0: {words: ['no']}, 1: {words: ['yes', 'sure']}}\n", "t",
    )  # fmt: skip
    found = said(template, ROW, "Sure.")
    assert found.label == 1
    assert type(found.label) is int


def test_a_rows_own_choices_are_read_by_their_words():
    template = find_template("multiple_choice")
    row = Example("r", {"question": "Which?", "choices": ["a dog", "a cat"]}, 1)
    assert said(template, row, "A cat").label == 1


def test_a_constrained_answer_is_a_word_as_it_stands():
    strategy = made(REVIEWS, " positive", constrained=True).fit(())
    (found,) = strategy.predict([ROW])
    assert found.label == "positive"
    (_, _, choices), = strategy.backend.asked  # fmt: skip
    assert [one.label for one in choices[0]] == ["negative", "neutral", "positive"]
    broken = said(REVIEWS, ROW, "Positive.", constrained=True)
    assert broken.label is None
    assert "though it was constrained" in broken.problem


def test_what_ends_an_answer_by_default():
    assert made(REVIEWS).sampling.stop == ("\n",)
    assert made(REVIEWS).sampling.max_new_tokens == 16
    assert made(CHAT).sampling.stop == ()
    assert made(CHAT).sampling.max_new_tokens == 512
    assert made(SUMS).sampling.stop == ("\n",)  # as its template says
    assert made(SUMS, stop="\n\n", max_new_tokens=7).sampling.stop == ("\n\n",)
    assert made(REVIEWS).sampling.temperature == 0
    assert made(REVIEWS, samples=5).sampling.temperature == 0.7


def test_a_templates_parser_is_used_unless_the_user_names_another():
    template = find_template("word_problems_reasoning")
    assert said(template, SUM, "3 + 4 is 7.\nAnswer: 7").label == "7"
    assert said(template, SUM, "So.\n**Answer:** 7 apples").label == "7 apples"
    assert "does not fit" in said(template, SUM, "It is 7.").problem
    assert said(template, SUM, "So:\n7", parser="last_line").label == "7"


def test_where_nothing_is_drawn_seeds_are_one_run():
    assert made(seed=1).describe() == made(seed=2).describe()
    one, two = (made(seed=s, samples=2).describe() for s in (1, 2))
    assert one != two


def test_what_is_constrained_depends_on_no_parser():
    described = made(REVIEWS, constrained=True).describe()
    assert described["constrained"] is True
    assert not {"parser", "max_new_tokens", "stop"} & described.keys()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"samples": 2, "temperature": 0}, "one and the same"),
        ({"samples": 0}, "samples cannot be 0"),
        ({"temperature": -1}, "temperature cannot be -1"),
        ({"top_p": 0}, "top_p cannot be 0"),
        ({"top_k": -1}, "top_k cannot be -1"),
        ({"max_new_tokens": -3}, "max_new_tokens cannot be -3"),
        ({"max_new_tokens": 0}, "max_new_tokens cannot be 0"),
        ({"stop": ["a", ""]}, "not empty"),
        ({"parser": "exakt"}, "did you mean 'exact'"),
        ({"parser": "fuzzy", "parser_options": {"treshold": 1}}, "did you mean 'threshold'"),
        ({"parser_options": {"match": "exact"}}, "parser_options without a parser"),
        ({"constrained": True, "parser": "exact"}, "leave out parser"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, told):
    with pytest.raises(SpecError, match=told):
        made(REVIEWS, **options)


def test_a_text_is_not_one_of_several_labels():
    with pytest.raises(CapabilityError, match="no labels to constrain it to"):
        made(SUMS, constrained=True)


def test_a_backend_that_only_reads_is_refused():
    class Reads:
        name, reads, cost = "embedding", "statements", Cost()

    strategy = Generate(REVIEWS, Reads(), SELECTORS.build("none", {}))
    with pytest.raises(CapabilityError, match="reads and does not write"):
        strategy.predict([ROW])


def test_a_model_that_wrote_nothing_leaves_its_row_unscored():
    strategy = made(REVIEWS)
    evidence = Evidence("r", (), problem="the prompt is too long")
    (found,) = strategy.conclude([ROW], [evidence])
    assert (found.label, found.problem, found.text) == (None, "the prompt is too long", "")
