"""Likelihoods of texts are those of a plain forward pass, token by token."""

import math

import pytest
import torch
import transformers

from promptkit.backends.likelihood import TextLikelihood
from promptkit.errors import CapabilityError
from promptkit.types import Piece
from tests.strategies.tuned import family

TEXTS = ["The parcel never arrived.", "Fine", "Nobody wrote back, unfortunately; twice!"]


def pieces(texts):
    return [(Piece(text, row=True),) for text in texts]


@pytest.mark.parametrize("name", ["llama", "gpt2", "gemma"])
def test_a_causal_model_is_asked_for_every_token_after_its_start(name):
    found = TextLikelihood(family(name)).of(pieces(TEXTS))
    tokenizer = transformers.AutoTokenizer.from_pretrained(family(name))
    model = transformers.AutoModelForCausalLM.from_pretrained(family(name)).eval()
    start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    for text, one in zip(TEXTS, found, strict=True):
        ids = [start, *tokenizer(text, add_special_tokens=False)["input_ids"]]
        with torch.no_grad():
            log_p = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
        expected = sum(float(log_p[at, token]) for at, token in enumerate(ids[1:]))
        assert one.nats == pytest.approx(expected, abs=1e-3)
        assert (one.tokens, one.bytes) == (len(ids) - 1, len(text.encode()))


@pytest.mark.parametrize("name", ["bert", "modernbert", "roberta"])
def test_a_masked_model_hides_each_token_and_the_rest_of_its_word(name):
    likelihood = TextLikelihood(family(name))
    found = likelihood.of(pieces(TEXTS))
    tokenizer = transformers.AutoTokenizer.from_pretrained(family(name))
    model = transformers.AutoModelForMaskedLM.from_pretrained(family(name)).eval()
    for text, one in zip(TEXTS, found, strict=True):
        encoded = tokenizer(text)
        ids, expected = encoded["input_ids"], 0.0
        own = [i for i, s in enumerate(tokenizer.get_special_tokens_mask(
            ids, already_has_special_tokens=True)) if not s]  # fmt: skip
        spans = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
        # by white space: a word ends where one begins
        word = [len((text[: spans[i][1]]).split()) for i in own]
        for k, at in enumerate(own):
            hidden = list(ids)
            for j in range(k, len(own)):
                if word[j] == word[k]:
                    hidden[own[j]] = tokenizer.mask_token_id
            with torch.no_grad():
                log_p = model(input_ids=torch.tensor([hidden])).logits[0, at].log_softmax(-1)
            expected += float(log_p[ids[at]])
        assert one.nats == pytest.approx(expected, abs=1e-3)
        assert one.tokens == len(own)
    some = likelihood.of(pieces(TEXTS), most=2)
    assert [one.tokens for one in some] == [one.tokens for one in found]
    assert some == likelihood.of(pieces(TEXTS), most=2)
    assert some[2].nats != found[2].nats


def test_bits_per_byte_weigh_texts_by_their_length():
    likelihood = TextLikelihood(family("llama"))
    found = likelihood.of(pieces(TEXTS))
    bits = -sum(one.nats for one in found) / math.log(2) / sum(one.bytes for one in found)
    assert likelihood.bits_per_byte(pieces(TEXTS)) == pytest.approx(bits)
    assert likelihood.cost.rows == 6
    assert likelihood.of([()])[0].tokens == 0


def test_what_is_too_long_loses_its_end():
    likelihood = TextLikelihood(family("gpt2"))
    (one,) = likelihood.of(pieces(["word " * 5000]))
    assert one.tokens < likelihood.max_tokens
    assert one.bytes < 5 * likelihood.max_tokens + 5


def test_an_encoder_of_sentences_says_nothing_of_words():
    with pytest.raises(
        CapabilityError, match="'sentence-encoder', which does not say how probable"
    ):
        TextLikelihood("minilm")
