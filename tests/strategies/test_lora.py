"""Adapters: where they go, that the model below stays, and that one that does nothing is caught."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from promptkit.backends.weights import locate
from promptkit.errors import BackendError, SpecError, StoreError
from promptkit.strategies import fine_tuning
from promptkit.strategies.lora import LoRA, targets_of
from promptkit.strategies.pretrained import load_located
from promptkit.strategies.training import Trained
from tests.strategies.tuned import FAMILIES, LABELS, READING, family, rows, weights

LAST = {
    "llama": {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"},
    "qwen3": {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"},
    "gemma": {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"},
    "gpt2": {"c_attn", "c_proj", "c_fc"},
    "opt": {"q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"},
    "bert": {"query", "key", "value", "dense"},
    "roberta": {"query", "key", "value", "dense"},
    "modernbert": {"Wqkv", "Wo", "Wi"},
    "t5": {"q", "k", "v", "o", "wi", "wo"},
}


def built(model="bert", **options):
    return LoRA(
        LABELS, READING, model=family(model), **{"epochs": 1, "learning_rate": 0.01, **options}
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_auto_targets_every_linear_layer_of_every_transformer_layer(name):
    network = load_located(locate(family(name)), 512, torch.float32).network
    found = targets_of(network, ())
    assert {one.rpartition(".")[2] for one in found} == LAST[name]
    assert len({one.rpartition(".")[2] for one in found}) <= len(found) // 2, "in both layers"


def test_some_layers_can_be_named_and_a_wrong_name_says_which_there_are():
    network = load_located(locate(family("bert")), 512, torch.float32).network
    assert {n.rpartition(".")[2] for n in targets_of(network, ("query", "value"))} == {
        "query",
        "value",
    }
    with pytest.raises(SpecError, match="named 'q_proj'; it has dense, key, query, value"):
        targets_of(network, ("q_proj",))


def test_names_can_be_given_in_a_line_or_in_a_list():
    for given in ("query, value", ["query", "value"]):
        assert built(targets=given).describe()["targets"] == ["query", "value"]
    assert built().describe()["targets"] == "auto"


def test_the_model_below_is_not_changed():
    before = weights(load_located(locate(family("bert")), 512, torch.float32).network)
    strategy = built().fit(rows(16))
    after = {
        name.replace("base_model.model.", "").replace("base_layer.", ""): one
        for name, one in weights(strategy.base_.network).items()
    }
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_only_adapters_and_head_are_trained_and_only_they_are_saved(tmp_path):
    strategy = built(rank=4, targets="query").fit(rows(16))
    assert strategy.cost.trained_parameters == 2 * 2 * 4 * 32 + 66
    strategy.save(tmp_path)
    assert not (tmp_path / "model").exists()
    kept = load_file(tmp_path / "adapter/adapter_model.safetensors")
    assert sum(one.numel() for one in kept.values()) == 2 * 2 * 4 * 32
    config = (tmp_path / "adapter/adapter_config.json").read_text()
    assert family("bert") not in config, "where the model lies is nobody's business"


def test_an_adapter_that_learned_nothing_is_an_error(monkeypatch):
    monkeypatch.setattr(fine_tuning, "train", lambda *_, **__: Trained(1, None))
    with pytest.raises(BackendError, match="the adapter changes nothing"):
        built().fit(rows(16))


def test_a_planted_adapter_of_zeros_is_an_error_when_it_is_taken_up(tmp_path):
    built().fit(rows(16)).save(tmp_path)
    file = tmp_path / "adapter/adapter_model.safetensors"
    save_file({name: torch.zeros_like(one) for name, one in load_file(file).items()}, file)
    with pytest.raises(BackendError, match="the adapter changes nothing"):
        built().restore(tmp_path)


def test_an_adapter_without_its_weights_is_an_error(tmp_path):
    built().fit(rows(16)).save(tmp_path)
    (tmp_path / "adapter/adapter_model.safetensors").unlink()
    with pytest.raises(StoreError, match=r"adapter_model\.safetensors is missing"):
        built().restore(tmp_path)


def test_an_adapter_under_other_names_is_an_error(tmp_path):
    built().fit(rows(16)).save(tmp_path)
    file = tmp_path / "adapter/adapter_model.safetensors"
    save_file({f"other.{name}": one for name, one in load_file(file).items()}, file)
    with pytest.raises((BackendError, StoreError)):
        built().restore(tmp_path)


def test_a_changed_model_below_is_an_error(tmp_path):
    built().fit(rows(16)).save(tmp_path)
    with pytest.raises(BackendError, match="what was saved was trained upon"):
        built("roberta").restore(tmp_path)
