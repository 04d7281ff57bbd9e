"""What a tokenizer does to label words is told, and only what matters."""

import pytest

from promptkit.backends.label_words import findings
from promptkit.backends.tokens import Request, Tokens
from promptkit.prompts import find_template
from promptkit.types import Candidate, Example, Piece, Prompt
from tests.tiny import CAUSAL, tokenizer_of

_MADE: dict[str, Tokens] = {}


def tokens_of(family):
    return _MADE.setdefault(family, Tokens(tokenizer_of(family)))


def told(family, query, answers, labels=None, **prompt):
    tokens = tokens_of(family)
    candidates = [
        Candidate(label, (Piece(answer),))
        for label, answer in zip(labels or answers, answers, strict=True)
    ]
    request = tokens.request(Prompt("1", query=(Piece(query),), **prompt), candidates)
    return findings(tokens, request, candidates)


@pytest.mark.parametrize("family", ["gpt2", "qwen3", "opt"])
@pytest.mark.parametrize("query", ["Sentiment:", "Sentiment: ", "Sentiment:\n"])
def test_words_that_differ_from_their_first_token_on_are_not_worth_a_word(family, query):
    blank = "" if query[-1].isspace() else " "
    assert told(family, query, [f"{blank}good", f"{blank}bad", f"{blank}neutral"]) == []


# "Sentiment: neutral" is not used here: these tiny vocabularies join ":" and the blank after it.
@pytest.mark.parametrize("family", ["llama", "gemma"])
@pytest.mark.parametrize(("query", "blank"), [("Sentiment:\n", ""), ("So it is 7", " ")])
def test_a_tokenizer_that_puts_a_blank_before_every_text_gives_no_warning(family, query, blank):
    answers = [f"{blank}good", f"{blank}bad", f"{blank}neutral"]
    alone = tokens_of(family).encode([(Piece(" good"),)])[0].ids
    assert tokens_of(family).words(alone)[0].startswith("▁▁") or len(alone) > 1
    assert told(family, query, answers) == []


@pytest.mark.parametrize("family", ["qwen3", "gemma"])
def test_words_that_open_a_turn_are_not_worth_a_word(family):
    assert told(family, "Is it good?", [" good", " bad"], chat=True) == []


@pytest.mark.parametrize("family", CAUSAL)
def test_an_in_box_template_gives_no_warning_about_white_space(family):
    tokens, template = tokens_of(family), find_template("sentiment_zero_shot")
    example = Example("1", {"text": "The room was fine."})
    candidates = template.candidates(example, "text")
    request = tokens.request(template.prompt(example), candidates)
    assert not any("split otherwise" in f for f in findings(tokens, request, candidates))


def test_words_that_become_the_same_tokens_cannot_be_told_apart():
    found = told("bert", "It is", [" Good", " good", " bad"])
    assert len(found) == 1
    assert "the word 'Good'" in found[0]
    assert "cannot be told apart" in found[0]


def test_labels_that_share_their_first_token_are_named_with_it():
    found = told("gpt2", "It is", [" not good", " not bad", " fine"])
    assert len(found) == 1
    assert "' not good' share" not in found[0]
    assert "the word 'not good' of ' not good' and the word 'not bad'" in found[0]
    assert "share their first token 'Ġnot'" in found[0]


def test_two_words_of_one_label_may_share_their_first_token():
    found = told(
        "gpt2", "It is", [" not good", " not fine", " great"], labels=["bad", "bad", "good"]
    )
    assert found == []


def test_a_word_that_melts_into_the_prompt_is_told():
    # "Ġse" and "rvice" become "Ġservice", which is no way to write "rvice"
    found = told("gpt2", "The se", ["rvice", " bad"])
    assert any("the word 'rvice'" in f and "split otherwise" in f for f in found)


def test_a_split_of_its_own_is_shown_beside_the_usual_one():
    tokens = tokens_of("gpt2")
    word = Candidate("good", (Piece(" good"),))
    letters = tuple(tokens.tokenizer.convert_tokens_to_ids(["Ġ", "g", "o", "o", "d"]))
    (found,) = findings(tokens, Request((1,), (letters,)), [word])
    usual = " ".join(tokens.words(tokens.encode([word.text])[0].ids))
    assert f"after the prompt (Ġ g o o d) than alone ({usual})" in found
