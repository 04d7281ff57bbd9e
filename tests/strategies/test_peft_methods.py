"""Each of peft's methods changes the network, is small, and is taken up as it was saved."""

import pytest

from promptkit.errors import SpecError
from promptkit.protocols import NO_CONTEXT, FitContext
from promptkit.strategies.peft_methods import METHODS, PeftMethod, norms_of
from tests.strategies.tuned import LABELS, READING, family, rows


def fitted(method, name, context=NO_CONTEXT, **options):
    return PeftMethod(
        LABELS, READING, model=family(name), method=method, epochs=2, learning_rate=0.02,
        batch_size=8, precision="float32", **options,
    ).fit(rows(16), context)  # fmt: skip


@pytest.mark.parametrize("name", ["bert", "llama", "modernbert"])
@pytest.mark.parametrize("method", list(METHODS))
def test_what_is_saved_is_small_and_predicts_the_same(method, name, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    strategy = fitted(method, name, FitContext(tmp_path / "checkpoints"))
    total = sum(one.numel() for one in strategy.base_.network.parameters())
    assert 0 < strategy.trained_parameters_ < total / 2
    assert list((tmp_path / "checkpoints").iterdir()) == []
    strategy.save(tmp_path)
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()
    again = PeftMethod(LABELS, READING, model=family(name), method=method).restore(tmp_path)
    found, wanted = again.gather(rows(6)), strategy.gather(rows(6))
    for one, other in zip(found, wanted, strict=True):
        assert one.log_p == pytest.approx(other.log_p, abs=1e-5)


def test_gpt2_has_its_weights_the_other_way_round():
    assert fitted("ia3", "gpt2").trained_parameters_ > 0


def test_options_are_those_of_peft():
    plain, wide = fitted("vera", "bert"), fitted("vera", "bert", method_options={"r": 16})
    assert wide.trained_parameters_ != plain.trained_parameters_
    assert wide.describe()["method_options"] == {"r": 16}
    assert fitted("lora", "bert", method_options={"use_dora": True}).trained_parameters_ > 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "ia4"}, "did you mean 'ia3'"),
        ({"method": "vera", "method_options": {"rr": 1}}, "'vera' has no option 'rr'"),
        ({"method": "vera", "method_options": {"target_modules": ["x"]}}, "is set by promptkit"),
    ],
)
def test_what_peft_does_not_know_is_refused_before_a_model_is_loaded(options, said):
    with pytest.raises(SpecError, match=said):
        PeftMethod(LABELS, READING, model="nowhere", **options)


def test_norms_of_all_families_are_found():
    import torch

    from promptkit.backends.weights import locate
    from promptkit.strategies.pretrained import load_located

    for name in ("bert", "llama", "gpt2", "t5"):
        assert len(norms_of(load_located(locate(family(name)), 64, torch.float32).network)) >= 4
