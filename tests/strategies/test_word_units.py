"""Where words begin among tokens, for tokenizers of all kinds."""

import pytest
from transformers import AutoTokenizer

from promptkit.backends.tokens import Tokens
from promptkit.strategies.units import Logits, SeveralLabels
from promptkit.strategies.word_units import Words, word_ids
from promptkit.types import Evidence, Example
from tests.strategies.tuned import family

WORDS = ("Isn't", "it", "<s>", "grand", "-", "Straßenbahn", "!")


@pytest.mark.parametrize("name", ["bert", "roberta", "modernbert", "gpt2", "llama", "gemma", "t5"])
def test_each_word_begins_at_its_own_first_token(name):
    tokens = Tokens(AutoTokenizer.from_pretrained(family(name)))
    (found,) = word_ids(tokens, [WORDS], 200)
    decode = tokens.tokenizer.decode
    assert len(found.starts) == len(WORDS)
    ends = [*found.starts[1:], len(found) - len(tokens.wrapping[1])]
    for word, start, end in zip(WORDS, found.starts, ends, strict=True):
        said = decode(list(found[start:end])).replace(" ", "").replace("##", "").lower()
        unknown = str(tokens.tokenizer.unk_token).lower()
        assert said in (word.lower(), "strassenbahn") or unknown in said
    control = set(tokens.control)
    inside = found[len(tokens.wrapping[0]) : len(found) - len(tokens.wrapping[1])]
    assert not control & set(inside)


def test_words_beyond_what_the_model_reads_have_no_state():
    tokens = Tokens(AutoTokenizer.from_pretrained(family("bert")))
    (whole,) = word_ids(tokens, [WORDS], 200)
    (found,) = word_ids(tokens, [WORDS], 8)
    assert len(found) == 8
    assert found.starts == [one for one in whole.starts if one < 7]


def test_a_row_that_is_cut_is_unscored():
    unit = Words("tokens")
    rows = [Example("a", {"tokens": ["x", "yy", "z"]})]
    (evidence,) = unit.evidence(rows, Logits(_zeros(2), [0, 1], 2, "full", [1]))
    (found,) = unit.conclude(rows, [evidence], ("A", "B"))
    assert found.label is None
    assert found.problem == "the model reads 2 of its 3 words; part the row"


def test_a_set_of_labels_may_be_empty():
    unit = SeveralLabels()
    rows = [Example("a", {}), Example("b", {})]
    evidence = unit.evidence(
        rows, Logits(_tensor([[-1.0, 2.0], [-1.0, -1.0]]), [0, 1], 2, "full", [0, 0])
    )
    assert [one.label for one in unit.conclude(rows, evidence, ("A", "B"))] == [("B",), ()]
    problem = Evidence("c", (0.0, 0.0), problem="why")
    assert unit.conclude(rows[:1], [problem], ("A", "B"))[0].label is None


def _zeros(n):
    return _tensor([[0.0, 0.0]] * n)


def _tensor(values):
    import torch

    return torch.tensor(values)
