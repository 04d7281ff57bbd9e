"""Prompts and answers as the harness encodes them; test_lm_eval_parity holds them beside it."""

import pytest

from promptkit.backends.hf import HFBackend
from promptkit.errors import SpecError
from promptkit.types import Candidate, Piece, Prompt
from tests.tiny import save_masked


def asked(*answers: str, row: str = "a") -> tuple[Prompt, list[Candidate]]:
    prompt = Prompt(row, query=(Piece("Text: "), Piece("fine", row=True), Piece("\nMood:")))
    return prompt, [Candidate(place, (Piece(one),)) for place, one in enumerate(answers)]


@pytest.fixture(scope="module")
def backend(causal_folder):
    return HFBackend(str(causal_folder("gpt2")), device="cpu", encoding="lm_eval")


def test_an_answer_that_is_too_long_costs_its_own_row_alone(backend):
    (prompt, words), (other, few) = asked(" low", " high " * 600), asked(" low", " high", row="b")
    long, short = backend.score([prompt, other], [words, few])
    assert long.log_p == ()
    assert "the model reads at most 512" in long.problem
    assert len(short.log_p) == 2
    assert short.problem == ""


def test_white_space_at_the_end_of_a_prompt_belongs_to_the_answer(backend):
    prompt, words = asked(" low")
    apart = Prompt("a", query=(*prompt.query, Piece(" ")))
    whole, moved = backend.score([prompt, apart], [words, [Candidate(0, (Piece("low"),))]])
    assert moved.log_p == pytest.approx(whole.log_p, abs=1e-6)


def test_no_other_way_and_no_other_model_is_taken(causal_folder, tmp_path):
    with pytest.raises(SpecError, match="no such value 'lm-eval'; did you mean 'lm_eval'"):
        HFBackend(str(causal_folder("gpt2")), device="cpu", encoding="lm-eval")
    with pytest.raises(SpecError, match="of kind 'masked'"):
        HFBackend(str(save_masked("bert", tmp_path / "bert")), device="cpu", encoding="lm_eval")
