"""Networks of every family give the states that transformers gives, a row at a time."""

import pytest
import torch
from transformers import AutoModel

from promptkit.backends.meter import Meter
from promptkit.backends.weights import locate
from promptkit.strategies.frozen_states import FrozenStates
from promptkit.strategies.pretrained import load_located
from promptkit.types import Piece
from tests.strategies.tuned import FAMILIES, family

TEXTS = ["A fair price.", "It broke on the second day, and nobody answered.", "Fine"]


def loaded(name, max_tokens=512):
    return load_located(locate(family(name)), max_tokens, torch.float32)


def states(base, ids):
    return FrozenStates(base, torch.device("cpu"), None, Meter()).of(ids)


def pieces(*texts):
    return [(Piece(text, row=True),) for text in texts]


@pytest.mark.parametrize("name", FAMILIES)
@torch.inference_mode()
def test_pooled_states_are_those_of_one_row_without_padding(name):
    base = loaded(name)
    ids, cut = base.ids(pieces(*TEXTS))
    found = states(base, ids)
    plain = AutoModel.from_pretrained(family(name)).eval()
    plain = plain.get_encoder() if name == "t5" else plain
    assert cut == [0, 0, 0]
    assert found.shape == (3, base.width)
    for one, row in zip(ids, found, strict=True):
        hidden = plain(input_ids=torch.tensor([one])).last_hidden_state[0]
        wanted = hidden[-1] if base.pooling == "last" else hidden.mean(0)
        assert torch.allclose(row, wanted, atol=1e-4)


@pytest.mark.parametrize("name", ["gpt2", "llama", "bert", "t5"])
def test_an_empty_text_has_a_state_all_the_same(name):
    base = loaded(name)
    ids, _ = base.ids(pieces(""))
    assert ids[0]
    assert torch.isfinite(states(base, ids)).all()


def test_what_is_cut_off_is_counted():
    base = loaded("bert", max_tokens=8)
    ids, cut = base.ids(pieces("one two three four five six seven eight nine ten"))
    assert len(ids[0]) == 8
    assert cut[0] > 0


def test_berts_own_head_is_left_behind():
    assert loaded("bert").network.pooler is None


def test_no_row_gives_no_state():
    base = loaded("bert")
    assert states(base, []).shape == (0, base.width)


def test_states_are_counted_by_the_positions_that_were_computed():
    base, meter = loaded("bert"), Meter()
    FrozenStates(base, torch.device("cpu"), None, meter).of([[2, 7, 3], [2, 7, 8, 9, 3]])
    assert meter.cost.computed_tokens == 10
