"""What is read out of replies, and what is not: a label is never guessed."""

import time

import pytest

from promptkit.errors import DataError, SpecError
from promptkit.parsers import PARSERS
from promptkit.parsers.matching import Matcher, plain

WORDS = ["negative", "not negative", "positive", "card not working"]


def read(name, text, words=WORDS, **options):
    """The word that a parser finds."""
    parser = PARSERS.build(name, options)
    return words[parser.match(parser.extract(text), words)]


def refused(name, text, words=WORDS, **options):
    parser = PARSERS.build(name, options)
    with pytest.raises(DataError) as caught:
        parser.match(parser.extract(text), words)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("positive", "positive"),
        (" Positive.\n", "positive"),
        ("**Negative**", "negative"),
        ("“not  negative”", "not negative"),
        ("ＰＯＳＩＴＩＶＥ", "positive"),
        ("Card not working!", "card not working"),
    ],
)
def test_exact_leaves_case_white_space_and_frame_aside(text, label):
    assert read("exact", text) == label


@pytest.mark.parametrize("text", ["It is positive", "positive and negative", "positiv", "neutral"])
def test_exact_takes_nothing_else(text):
    assert refused("exact", text) == "the reply is no label (exact)"


def test_words_of_like_form_are_told_apart_by_how_they_are_written_or_not_at_all():
    words = ["US", "us"]
    assert [read("exact", one, words) for one in words] == words
    assert refused("exact", "Us", words) == "the reply could be more than one label (exact)"
    assert read("exact", " + ", ["+", "-"]) == "+"
    assert [read("exact", one, ["?", "!"]) for one in ("?", "!")] == ["?", "!"]


def test_prefix_takes_the_longest_word_that_the_reply_begins_with():
    assert read("prefix", "Positive, since it works.") == "positive"
    assert read("prefix", "Not negative at all") == "not negative"
    assert read("prefix", "neg", ["neg", "negative"]) == "neg"
    assert read("prefix", "negative!", ["neg", "negative"]) == "negative"
    assert refused("prefix", "positively charged") == "the reply is no label (prefix)"
    assert refused("prefix", "I think it is positive") == "the reply is no label (prefix)"


def test_fuzzy_takes_the_word_that_is_most_alike_from_the_threshold_on():
    assert read("fuzzy", "positve") == "positive"
    assert read("fuzzy", "card isn't working") == "card not working"
    assert refused("fuzzy", "posi") == "the reply is no label (fuzzy, at least 0.8)"
    # 'posi' and 'positive' share 4 of 4 + 8 characters twice: 8 / 12
    assert read("fuzzy", "posi", threshold=0.66) == "positive"
    assert refused("fuzzy", "posi", threshold=0.67).startswith("the reply is no label")
    assert "more than one" in refused("fuzzy", "bat", ["bad", "bar"], threshold=0.5)


@pytest.mark.parametrize("threshold", [0, -1, 1.1, True])
def test_a_threshold_is_a_share(threshold):
    with pytest.raises(SpecError, match="threshold"):
        Matcher("fuzzy", threshold)


def test_the_last_line_counts_after_reasoning():
    assert read("last_line", "It is not negative.\nSo:\n\n  Positive \n\n") == "positive"
    assert refused("last_line", "positive\nThat is all.") == "the reply is no label (exact)"
    assert read("last_line", "Well.\npositve", match="fuzzy") == "positive"


def test_a_pattern_finds_its_last_group():
    pattern = r"[Aa]nswer: (.+)"
    assert read("regex", "Answer: negative\nNo. Answer: positive.", pattern=pattern) == "positive"
    assert PARSERS.build("regex", {"pattern": r"\d+"}).extract("3 and 4 are 7 apples") == "7"
    assert refused("regex", "positive", pattern=pattern).startswith("the reply does not fit")
    with pytest.raises(SpecError, match="no regular expression"):
        PARSERS.build("regex", {"pattern": "(a"})
    with pytest.raises(SpecError, match="pattern"):
        PARSERS.build("regex", {})


def test_a_pattern_that_would_take_hours_is_stopped(monkeypatch):
    monkeypatch.setattr("promptkit.parsers.regex.PATIENCE", 0.1)
    begun = time.monotonic()
    told = refused("regex", "x" * 5000, pattern="(x+x+)+y")
    assert time.monotonic() - begun < 5
    assert "takes too long on the reply" in told


def test_a_field_of_the_last_json_object_counts():
    text = 'First {"answer": "negative"}, then:\n```json\n{"answer": "positive", "why": "{"}\n```'
    assert read("json", text) == "positive"
    assert read("json", '{"a": {"label": "Positive"}}', field="a.label") == "positive"
    assert PARSERS.build("json", {}).extract('{"answer": 12.5}') == "12.5"
    assert PARSERS.build("json", {}).extract('{"answer": true}') == "true"
    for broken in ('{"answer": ', '{"answer": null}', '{"answer": ["a"]}', "answer", "{" * 5000):
        assert "no JSON object with a field 'answer'" in refused("json", broken)


@pytest.mark.parametrize("name", sorted(PARSERS))
@pytest.mark.parametrize("text", ["", "  \n ", "\x00", "{}", "🙂" * 50])
def test_no_parser_makes_up_a_label(name, text):
    refused(name, text, **({"pattern": "(x+)"} if name == "regex" else {}))


def test_plain_keeps_signs_that_say_something():
    assert [plain(text) for text in ("100%", "C++", "Q&A", "-3", "...")] == [
        "100%", "c++", "q&a", "-3", "...",
    ]  # fmt: skip
