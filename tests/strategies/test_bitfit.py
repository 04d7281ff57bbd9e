"""Only biases move, and only biases are kept."""

import pytest
import torch
from safetensors.torch import load_file

from promptkit.backends.weights import locate
from promptkit.errors import BackendError, CapabilityError, SpecError, StoreError
from promptkit.strategies.bitfit import BitFit
from promptkit.strategies.full import Full
from promptkit.strategies.pretrained import load_located
from tests.strategies.tuned import LABELS, READING, family, rows, weights


def fitted(**options):
    asked = {"model": family("bert"), "epochs": 1, "learning_rate": 0.01, **options}
    return BitFit(LABELS, READING, **asked).fit(rows(16))


def test_biases_are_changed_and_every_other_weight_is_not():
    before = weights(load_located(locate(family("bert")), 512, torch.float32).network)
    after = weights(fitted().base_.network)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.endswith("bias") for name in changed)


def test_biases_alone_are_saved_and_taken_up_again(tmp_path):
    strategy = fitted()
    strategy.save(tmp_path)
    kept = load_file(tmp_path / "biases.safetensors")
    assert all(name.endswith("bias") for name in kept)
    assert not list(tmp_path.glob("*/model.safetensors"))
    again = BitFit(LABELS, READING, model=family("bert")).restore(tmp_path)
    assert again.predict(rows(6)) == strategy.predict(rows(6))
    with pytest.raises(BackendError, match="what was saved was trained upon"):
        BitFit(LABELS, READING, model=family("roberta")).restore(tmp_path)
    (tmp_path / "biases.safetensors").write_bytes(b"no tensors")
    with pytest.raises(StoreError, match="cannot be read"):
        BitFit(LABELS, READING, model=family("bert")).restore(tmp_path)


def test_a_model_without_biases_is_told_another_way():
    with pytest.raises(CapabilityError, match=r"has no biases .* use --strategy lora"):
        fitted(model=family("llama"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layer_decay": 1.2}, "'layer_decay' is 1.2; it must be 1 at most"),
        ({"layer_decay": 0}, "'layer_decay' is 0; it must be above 0"),
        ({"unfreeze": "gradually"}, "did you mean 'gradual'"),
    ],
)
def test_options_that_cannot_be(options, said):
    with pytest.raises(SpecError, match=said):
        fitted(**options)


def test_what_is_as_usual_leaves_a_run_its_name():
    described = Full(LABELS, READING, model="x").describe()
    assert not {"layer_decay", "unfreeze"} & described.keys()
    asked = Full(LABELS, READING, model="x", layer_decay=0.8, unfreeze="gradual").describe()
    assert (asked["layer_decay"], asked["unfreeze"]) == (0.8, "gradual")


def test_unfrozen_one_by_one_a_model_still_learns_and_goes_on_after_a_kill(tmp_path):
    options = {"model": family("bert"), "epochs": 4, "unfreeze": "gradual", "layer_decay": 0.7}
    options |= {"learning_rate": 0.01, "seed": 3}
    whole = Full(LABELS, READING, **options).fit(rows(24))

    class Killed(Exception):
        pass

    def on_step(step):
        if step.done == 5:
            raise Killed

    from promptkit.protocols import FitContext

    with pytest.raises(Killed):
        Full(LABELS, READING, **options).fit(rows(24), FitContext(tmp_path, on_step))
    again = Full(LABELS, READING, **options).fit(rows(24), FitContext(tmp_path))
    first, second = weights(whole.base_.network), weights(again.base_.network)
    assert all(torch.equal(first[name], second[name]) for name in first)
