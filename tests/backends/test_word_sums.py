"""All words of a vocabulary at once: sums over groups of rows equal the plain computation."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

from promptkit.backends import word_sums as module
from promptkit.backends.embedding import EmbeddingBackend
from promptkit.backends.hf import HFBackend
from promptkit.errors import CapabilityError
from promptkit.prompts.sandbox import SLOT
from promptkit.protocols import CanPredictWords
from promptkit.types import Candidate, Piece, Prompt
from tests.tiny import save_masked, save_seq2seq

TEXTS = ("Fine.", "The room was noisy, and nobody came.", "ok " * 40, "So so")
GROUPS = (1, 0, 1, 1)


def candidates(*answers):
    return [Candidate(a.strip(), (Piece(a),)) for a in answers]


OWN = candidates(" not good at all", " bad")


def asked():
    return [
        Prompt(
            str(i),
            query=(Piece(text, True), Piece("\nIt is")),
            cloze=(Piece(text, True), Piece(" It was "), Piece(SLOT), Piece(".")),
        )
        for i, text in enumerate(TEXTS)
    ]


def sums(backend, **options):
    return backend.word_sums(asked(), [OWN] * len(TEXTS), GROUPS, 3, **options)


def expected(rows):
    """(3, v) from (n, v)."""
    table = np.zeros((3, rows.shape[1]))
    for group, row in zip(GROUPS, rows, strict=True):
        table[group] += row
    return table


@pytest.mark.parametrize("family", ["gpt2", "qwen3", "opt"])
@pytest.mark.parametrize("size", ["auto", 1])
def test_a_causal_models_words_are_those_after_the_prompt(family, size, causal_folder):
    folder = causal_folder(family)
    backend = HFBackend(str(folder), batch_size=size)
    found = sums(backend)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = [backend.tokens.tokenizer.convert_tokens_to_ids(f"Ġ{word}") for word in found.words]
    rows = []
    for prompt in asked():
        context = backend.tokens.request(prompt, OWN).context
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([context])).logits[0, -1]
        rows.append(logits.double().log_softmax(-1)[ids].numpy())
    assert found.rows == (1, 3, 0)
    assert np.allclose(found.log_p, expected(np.array(rows)), atol=1e-4)


@pytest.mark.parametrize(("family", "blank"), [("bert", ""), ("roberta", "Ġ"), ("modernbert", "")])
def test_a_masked_models_words_are_those_in_the_place_of_a_single_mask(family, blank, tmp_path):
    folder = save_masked(family, tmp_path)
    backend = HFBackend(str(folder))
    found = sums(backend)
    tokenizer = backend.tokens.tokenizer
    model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = [tokenizer.convert_tokens_to_ids(f"{blank}{word}") for word in found.words]
    rows = []
    for text in TEXTS:
        gap = "" if blank else " "  # a mask takes the blank with it where words do
        read = tokenizer(f"{text} It was{gap}{tokenizer.mask_token}.", return_tensors="pt")
        at = read["input_ids"][0].tolist().index(tokenizer.mask_token_id)
        with torch.inference_mode():
            logits = model(**{k: read[k] for k in ("input_ids", "attention_mask")}).logits[0, at]
        rows.append(logits.double().log_softmax(-1)[ids].numpy())
    assert np.allclose(found.log_p, expected(np.array(rows)), atol=1e-4)


def test_words_are_letters_and_begin_as_the_answers_do(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")))
    words = sums(backend).words
    assert len(words) == len(set(words)) > 50
    assert all(len(word) > 1 and word.isalpha() for word in words)
    assert "the" in words
    tokens = backend.tokens.tokenizer.get_vocab()
    assert all(f"Ġ{word}" in tokens for word in words)
    own = candidates("bad", "awful")  # nothing before them, as at the head of a model's turn
    other = backend.word_sums([Prompt("1", query=(Piece("Is it"),))], [own], [0], 1).words
    assert all(word in tokens for word in other)
    assert "ing" in other


def test_a_word_is_a_whole_answer_of_one_token(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")))
    words = sums(backend).words[:40]
    own = candidates(*(f" {word}" for word in words))
    assert backend.score(asked()[:1], [own])[0].n_tokens == (1,) * 40


def test_batches_do_not_matter(causal_folder, monkeypatch):
    backend = HFBackend(str(causal_folder("gpt2")))
    whole = sums(backend)
    monkeypatch.setattr(module, "LOGIT_BYTES", 1)
    assert np.allclose(sums(backend).log_p, whole.log_p, atol=1e-4)


def test_a_row_that_does_not_fit_is_in_no_sum(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")))
    long = Prompt("q", query=(Piece("x", True), Piece(" word" * 900)))
    found = backend.word_sums([*asked(), long], [OWN] * 5, [*GROUPS, 2], 3)
    assert found.rows == (1, 3, 0)
    assert np.allclose(found.log_p, sums(backend).log_p, atol=1e-4)


def test_what_was_computed_is_counted(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")))
    sums(backend)
    assert backend.cost.rows == len(TEXTS)
    assert backend.cost.computed_tokens >= backend.cost.prompt_tokens > 0


def test_models_of_other_kinds_say_that_they_cannot(tmp_path):
    with pytest.raises(CapabilityError, match="of kind 'seq2seq'"):
        sums(HFBackend(str(save_seq2seq("t5", tmp_path))))
    assert not issubclass(EmbeddingBackend, CanPredictWords)
