"""Only the top layers move."""

import pytest
import torch

from promptkit.backends.weights import locate
from promptkit.errors import CapabilityError, SpecError
from promptkit.strategies.pretrained import load_located
from promptkit.strategies.top_layers import TopLayers, layers_of
from tests.strategies.tuned import FAMILIES, LABELS, READING, family, rows, weights


@pytest.mark.parametrize("name", FAMILIES)
def test_the_last_layer_is_changed_and_every_other_weight_is_not(name):
    base = load_located(locate(family(name)), 512, torch.float32)
    before, top = weights(base.network), layers_of(base.network)[-1]
    own = {
        n for n, one in base.network.named_parameters() if any(one is p for p in top.parameters())
    }
    strategy = TopLayers(
        LABELS, READING, model=family(name), n_layers=1, epochs=1, learning_rate=0.01
    ).fit(rows(16))
    after = weights(strategy.base_.network)
    changed = {n for n in before if not torch.equal(before[n], after[n])}
    assert changed
    assert changed <= own
    assert strategy.cost.trained_parameters == sum(before[n].numel() for n in own) + 66


def test_more_layers_than_there_are_is_an_error_that_says_how_many():
    strategy = TopLayers(LABELS, READING, model=family("bert"), n_layers=3)
    with pytest.raises(SpecError, match="'n_layers' is 3; the model has 2 layers"):
        strategy.fit(rows(8))


def test_a_network_without_a_list_of_layers_is_refused():
    with pytest.raises(CapabilityError, match="use --strategy full"):
        layers_of(torch.nn.Sequential(torch.nn.Linear(2, 2)))
