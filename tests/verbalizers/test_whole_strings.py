"""Labels of several tokens, from a model to its verbalizer, against the computation by hand."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from promptkit.backends.hf import HFBackend
from promptkit.types import Candidate, Piece, Prompt
from promptkit.verbalizers.words import WordsVerbalizer

#: The words of each label: of different lengths in tokens and in bytes.
WORDS = {"up": (" good", " very good indeed"), "down": (" awful",), "é": (" naïve café",)}
LABELS = tuple(WORDS)
TEXTS = ("Fine.", "The room was noisy, and nobody came.")


@pytest.fixture(scope="module", params=["llama", "gpt2", "gemma"])
def scored(request, causal_folder):
    """Evidence of a tiny model, and each candidate's token log-probabilities one by one."""
    folder = causal_folder(request.param)
    backend = HFBackend(str(folder))
    own = [Candidate(label, (Piece(word),)) for label, words in WORDS.items() for word in words]
    asked = [Prompt(text, query=(Piece(text, True), Piece("\nIt is"))) for text in TEXTS]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    rows = []
    for evidence, prompt in zip(backend.score(asked, [own] * len(asked)), asked, strict=True):
        request_ = backend.tokens.request(prompt, own)
        rows.append((evidence, [_each(model, request_.context, a) for a in request_.answers]))
    return own, rows


def _each(model, context, answer):
    with torch.inference_mode():
        log_p = model(input_ids=torch.tensor([[*context, *answer]])).logits[0].double()
    log_p = log_p.log_softmax(-1)
    return [log_p[len(context) + i - 1, token].item() for i, token in enumerate(answer)]


def test_the_labels_differ_in_length(scored):
    _, rows = scored
    assert len({len(tokens) for tokens in rows[0][1]}) >= 3


@pytest.mark.parametrize(
    ("normalize", "length"),
    [
        ("none", lambda word, tokens: 1),
        ("tokens", lambda word, tokens: len(tokens)),
        ("bytes", lambda word, tokens: len(word.encode())),
    ],
)
@pytest.mark.parametrize(
    ("pool_by", "pooled"),
    [
        ("sum", lambda values: np.log(np.sum(np.exp(values)))),
        ("mean", np.mean),
        ("max", max),
    ],
)
def test_a_labels_evidence_is_that_of_its_whole_words(scored, normalize, length, pool_by, pooled):
    own, rows = scored
    words = [word for said in WORDS.values() for word in said]
    for evidence, tokens in rows:
        found = WordsVerbalizer(pool_by, normalize).pool(evidence, own, LABELS)
        values = [sum(t) / length(word, t) for word, t in zip(words, tokens, strict=True)]
        expected = [pooled(values[:2]), values[2], values[3]]
        assert found == pytest.approx(expected, abs=1e-5)


def test_bytes_count_the_blank_and_each_byte_of_a_letter(scored):
    _, rows = scored
    assert rows[0][0].n_bytes == (5, 17, 6, 13)
