"""What a training step computes in."""

import pytest
import torch

from promptkit.errors import SpecError
from promptkit.strategies.precision import training_dtype

CPU = torch.device("cpu")


def test_what_was_asked_for_is_taken():
    assert training_dtype("float32", CPU) == torch.float32
    assert training_dtype("bfloat16", CPU) == torch.bfloat16


@pytest.mark.parametrize(
    ("bf16", "amx", "wanted"),
    [
        (True, False, torch.bfloat16),
        (False, True, torch.bfloat16),
        (False, False, torch.float32),
        (None, None, torch.float32),
    ],
)
def test_auto_asks_the_cpu_where_torch_can_tell(monkeypatch, bf16, amx, wanted):
    for name, says in (("_is_avx512_bf16_supported", bf16), ("_is_amx_tile_supported", amx)):
        if says is None:
            monkeypatch.delattr(torch.cpu, name, raising=False)
        else:
            monkeypatch.setattr(torch.cpu, name, lambda says=says: says, raising=False)
    assert training_dtype("auto", CPU) == wanted


def test_another_name_is_refused_with_the_nearest():
    with pytest.raises(SpecError, match="did you mean 'bfloat16'"):
        training_dtype("bfloat", CPU)
