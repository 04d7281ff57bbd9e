"""Full fine-tuning changes every weight that a row goes through."""

import torch

from promptkit.backends.weights import locate
from promptkit.strategies.full import Full
from promptkit.strategies.pretrained import load_located
from tests.strategies.tuned import LABELS, READING, family, rows, weights


def fitted(name):
    before = weights(load_located(locate(family(name)), 512, torch.float32).whole)
    strategy = Full(
        LABELS, READING, model=family(name), epochs=1, learning_rate=0.01, precision="float32"
    ).fit(rows(16))
    return strategy, before, weights(strategy.base_.whole)


def test_all_layers_are_changed():
    strategy, before, after = fitted("bert")
    kept = [name for name in before if torch.equal(before[name], after[name])]
    # attention scores do not move when all keys do: the bias of keys has no gradient to speak of
    assert [name for name in kept if "key.bias" not in name] == []
    assert strategy.cost.trained_parameters == sum(one.numel() for one in before.values()) + 66


def test_of_an_encoder_decoder_only_the_encoder_is_changed_and_both_are_saved(tmp_path):
    strategy, before, after = fitted("t5")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert not any(name.startswith("decoder.") for name in changed)
    strategy.save(tmp_path)
    from transformers import AutoModel

    assert weights(AutoModel.from_pretrained(tmp_path / "model")).keys() == before.keys()


def test_a_saved_model_needs_the_model_it_came_from_no_more(tmp_path):
    strategy, _, _ = fitted("bert")
    strategy.save(tmp_path)
    again = Full(LABELS, READING, model=family("roberta")).restore(tmp_path)
    found, wanted = again.predict(rows(4)), strategy.predict(rows(4))
    assert [p.label for p in found] == [p.label for p in wanted]
