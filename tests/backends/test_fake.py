"""The backend without a model answers alike each time, and to whatever a model would read."""

from dataclasses import replace

import numpy as np
import pytest

from promptkit.backends.fake import FakeBackend
from promptkit.types import Candidate, Piece, Prompt, Shot

PROMPT = Prompt(
    "q",
    system=(Piece("Be brief."),),
    instruction=(Piece("Judge it."),),
    shots=(Shot("s", "good", (Piece("Fine"),), (Piece(" good"),)),),
    query=(Piece("The room was cold", True), Piece("\nIt is")),
)
CANDIDATES = [Candidate(word, (Piece(f" {word}"),)) for word in ("good", "bad")]
CHANGES = {
    "system": {"system": (Piece("Be long."),)},
    "instruction": {"instruction": (Piece("Rate it."),)},
    "lost shot": {"shots": ()},
    "query": {"query": (Piece("The room was warm", True), Piece("\nIt is"))},
}


def scores(prompt, model="fake"):
    (found,) = FakeBackend(model).score([prompt], [CANDIDATES])
    return found.log_p


def test_two_backends_give_the_same_scores():
    assert scores(PROMPT) == scores(PROMPT)


def test_another_name_is_another_model():
    assert scores(PROMPT) != scores(PROMPT, model="other")


@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_whatever_a_model_would_read_changes_the_scores(change, chat):
    prompt = replace(PROMPT, chat=chat)
    assert scores(prompt) != scores(replace(prompt, **CHANGES[change]))


def test_each_candidate_has_a_score_of_its_own_between_minus_five_and_zero():
    found = scores(PROMPT)
    assert len(set(found)) == 2
    assert all(-5 <= value <= 0 for value in found)


def test_lengths_are_words_and_bytes():
    (found,) = FakeBackend().score([PROMPT], [[Candidate("x", (Piece(" très bon"),))]])
    assert (found.n_tokens, found.n_bytes) == ((2,), (10,))


def test_a_long_prompt_loses_demonstrations_first_and_says_how_many():
    (found,) = FakeBackend(max_words=12).score([PROMPT], [CANDIDATES])
    assert (found.shots, found.dropped_shots, found.cut_chars) == ((), 1, 0)


def test_then_the_rows_own_text_is_cut():
    (found,) = FakeBackend(max_words=8).score([PROMPT], [CANDIDATES])
    assert found.cut_chars > 0
    assert found.log_p


def test_what_cannot_fit_is_unscored_and_says_why():
    (found,) = FakeBackend(max_words=3).score([PROMPT], [CANDIDATES])
    assert (found.log_p, found.n_tokens, found.n_bytes) == ((), (), ())
    assert "the model reads at most 3" in found.problem


def test_words_are_counted_as_tokens():
    backend = FakeBackend()
    backend.score([PROMPT], [CANDIDATES])
    assert (backend.cost.rows, backend.cost.prompt_tokens) == (1, 12)
    assert backend.cost.computed_tokens == 14


def test_like_texts_lie_near_each_other_on_the_unit_sphere():
    vectors = FakeBackend().encode(["a warm room", "a warm rooms", "xyz", ""])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_no_texts_give_no_vectors():
    assert len(FakeBackend().encode([])) == 0
