"""Labels behind the last words of a prompt: the ids of whole texts, encoded a few times only."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promptkit.backends.endings import KEPT, last_words
from promptkit.backends.tokens import Tokens
from promptkit.types import Candidate, Piece, Prompt
from tests.tiny import tokenizer_of

FAMILIES = ("llama", "gemma", "qwen3", "gpt2", "opt", "bert", "t5")
TAILS = [
    "\nSentiment:",
    "\nSentiment: ",
    " It was",
    "",
    ":",
    "\n\n",
    "</s>\nA:",
    '\nIs it "',
    "?\n",
]
LABELS = [
    (" good", " bad"), ("good", "bad"), (" not", " not good"), (" y", "es"), (":", "::"),
    (" card arrival", " card is late", " cash"), ("\nA", "\nB"), (" </s>", " x"),
]  # fmt: skip
ROWS = ["fine", "fine ", "fine\n", "", "é", "</s>", "<|im_end|>", "a film", "x" * 90, "  ", "\n"]
_MADE = {family: Tokens(tokenizer_of(family)) for family in FAMILIES}


def prompt_of(row, tail):
    return Prompt("1", query=(Piece("Review: "), Piece(row, True), Piece(tail)))


def candidates_of(labels):
    return [Candidate(label, (Piece(label),)) for label in labels]


def expected(tokens, prompt, candidates):
    before, answers = tokens.wholly(
        tokens.flat(prompt).text, [candidate.text for candidate in candidates]
    )
    return tokens._head(before), answers


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(
        st.lists(st.sampled_from([*ROWS, "good", " "]), max_size=3).map("".join), min_size=1,
        max_size=5,
    ),
    tail=st.sampled_from(TAILS),
    labels=st.sampled_from(LABELS),
)  # fmt: skip
def test_ids_are_those_of_whole_texts_whichever_rows_came_before(family, rows, tail, labels):
    tokens, candidates = _MADE[family], candidates_of(labels)
    prompts = [prompt_of(row, tail) for row in rows]
    found = tokens.requests(prompts, [candidates] * len(prompts))
    for prompt, request in zip(prompts, found, strict=True):
        assert (request.context, request.answers) == expected(tokens, prompt, candidates)


@pytest.mark.parametrize("family", ["llama", "qwen3", "gpt2", "gemma"])
def test_a_row_is_encoded_once_however_many_labels_there_are(family, monkeypatch):
    tokens = Tokens(tokenizer_of(family))
    labels = candidates_of([f" label {n}" for n in range(40)])
    prompts = [prompt_of(f"a film of {n} hours", "\nSentiment:") for n in range(6)]
    sizes, usual = [], tokens.encode
    monkeypatch.setattr(tokens, "encode", lambda texts: sizes.append(len(texts)) or usual(texts))
    tokens.requests(prompts, [labels] * 6)
    assert sizes == [6, 40, 40]  # the rows; the labels behind the last words; one row wholly
    sizes.clear()
    tokens.requests(prompts, [labels] * 6)
    assert sizes == [6]


def test_a_row_that_joins_the_last_words_does_not_spoil_them_for_the_others(monkeypatch):
    tokens = Tokens(tokenizer_of("llama"))  # this vocabulary joins "fine" with the blank behind it
    labels = candidates_of((" good", " bad"))
    prompts = [prompt_of(row, " It was") for row in ("fine", "work", "isn", "work")]
    rows, usual = [], tokens.wholly
    monkeypatch.setattr(tokens, "wholly", lambda *a: rows.append(a[0][1].text) or usual(*a))
    found = tokens.requests(prompts, [labels] * 4)
    assert rows == ["fine", "work"]  # the odd one, and the first usual one to compare
    for prompt, request in zip(prompts, found, strict=True):
        assert (request.context, request.answers) == expected(tokens, prompt, labels)


def test_a_tokenizer_whose_prompts_change_with_the_label_is_encoded_whole(monkeypatch):
    tokens = Tokens(tokenizer_of("gpt2"))
    prompts, labels = [prompt_of(row, "\nSo:") for row in ("a", "b")], candidates_of((" x", " y"))
    usual = tokens.wholly
    monkeypatch.setattr(
        tokens, "wholly", lambda g, a: (usual(g, a)[0], tuple((*i, 7) for i in usual(g, a)[1]))
    )
    found = tokens.requests(prompts, [labels] * 2)
    assert all(answer[-1] == 7 for request in found for answer in request.answers)


def test_what_is_kept_has_a_limit():
    tokens = Tokens(tokenizer_of("gpt2"))
    for n in range(KEPT + 5):
        tokens.requests([prompt_of("a", f"\nSo {n}:")], [candidates_of((" x", " y"))])
    assert len(tokens._endings._known) <= KEPT


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([("Review: ", False), ("fine", True), ("\nSentiment:", False)], "\nSentiment:"),
        ([("fine", True), (".\nSo", False), (" is it", False)], "\nSo is it"),
        ([("fine", True), ("", True), (":", False)], ":"),
        ([("A: ", False), ("fine", True)], ""),
        ([("fine", True), ("a" * 80 + " b", False)], " b"),
        ([("fine", True), ("a \n", False)], "a \n"),
    ],
)
def test_last_words_begin_at_a_blank_of_the_templates_own(pieces, words):
    assert last_words(tuple(Piece(text, row) for text, row in pieces)) == words
