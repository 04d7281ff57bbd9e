"""From states to one vector: small numbers by hand, and what folders say."""

import json

import pytest
import torch

from promptkit.backends.weights import locate
from promptkit.errors import BackendError, CapabilityError
from promptkit.strategies.pooling import pooled, pooling_of
from tests.strategies.tuned import family
from tests.tiny_encoder import tiny_encoder

STATES = torch.tensor([[[1.0, 0.0], [3.0, 4.0], [9.0, 9.0]], [[5.0, 6.0], [0.0, 0.0], [7.0, 7.0]]])
MASK = torch.tensor([[1, 1, 0], [1, 1, 1]])


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ("mean", [[2.0, 2.0], [4.0, 13 / 3]]),
        ("cls", [[1.0, 0.0], [5.0, 6.0]]),
        ("last", [[3.0, 4.0], [7.0, 7.0]]),
    ],
)
def test_padding_is_never_pooled(how, wanted):
    assert torch.allclose(pooled(STATES, MASK, how), torch.tensor(wanted))


def test_pooling_is_in_float32():
    assert pooled(STATES.bfloat16(), MASK, "mean").dtype == torch.float32


@pytest.mark.parametrize(
    ("name", "how"), [("llama", "last"), ("gpt2", "last"), ("bert", "mean"), ("t5", "mean")]
)
def test_the_kind_of_model_says_how(name, how):
    assert pooling_of(locate(family(name))) == how


@pytest.fixture
def encoder(tmp_path):
    """A sentence encoder's folder without its weights' content, and its pooling file."""
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "modules.json").write_text("[]")
    (tmp_path / "1_Pooling").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("says", "how"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode_lasttoken": True, "include_prompt": True}, "last"),
        ({"pooling_mode": "mean"}, "mean"),
    ],
)
def test_a_sentence_encoder_says_it_itself_in_old_words_and_new(encoder, says, how):
    (encoder / "1_Pooling/config.json").write_text(json.dumps(says))
    assert pooling_of(locate(str(encoder))) == how


@pytest.mark.parametrize(
    "says",
    [
        {"pooling_mode_max_tokens": True},
        {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True},
        {"pooling_mode": "weightedmean"},
    ],
)
def test_pooling_that_is_not_offered_is_refused_by_name(encoder, says):
    (encoder / "1_Pooling/config.json").write_text(json.dumps(says))
    with pytest.raises(CapabilityError, match="mean, cls and lasttoken can be trained upon"):
        pooling_of(locate(str(encoder)))


def test_a_broken_file_is_named(encoder):
    (encoder / "1_Pooling/config.json").write_text("{")
    with pytest.raises(BackendError, match=r"config\.json: not JSON"):
        pooling_of(locate(str(encoder)))


def test_a_tiny_encoder_is_pooled_by_its_mean():
    assert pooling_of(locate(tiny_encoder())) == "mean"
