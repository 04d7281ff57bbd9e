"""The learning rate rises and falls; norms and biases are not decayed."""

import pytest
import torch

from promptkit.strategies.classifier_head import ClassifierHead
from promptkit.strategies.pooled_classifier import PooledClassifier
from promptkit.strategies.schedule import first_epoch, optimizer_of, share_of_rate


def test_it_rises_to_the_whole_rate_and_falls_to_nothing():
    shares = [share_of_rate(step, 4, 20) for step in range(21)]
    assert shares[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert shares[5:] == pytest.approx([(20 - step) / 16 for step in range(5, 21)])


def test_no_warm_up_starts_at_the_whole_rate():
    assert share_of_rate(0, 0, 10) == 1.0


def test_head_and_network_have_rates_of_their_own_and_only_matrices_decay():
    network = torch.nn.Sequential(
        torch.nn.Linear(3, 3), torch.nn.LayerNorm(3), torch.nn.Linear(3, 3)
    )
    network[0].requires_grad_(False)
    classifier = PooledClassifier(network, "mean", ClassifierHead(3, 2))
    optimizer, _ = optimizer_of(
        classifier,
        learning_rate=0.1,
        head_learning_rate=0.5,
        weight_decay=0.01,
        warmup=0.0,
        total=10,
    )
    found = {
        (group["initial_lr"], group["weight_decay"]): sum(p.numel() for p in group["params"])
        for group in optimizer.param_groups
    }
    assert found == {(0.1, 0.01): 9, (0.1, 0.0): 3 + 3 + 3, (0.5, 0.01): 6, (0.5, 0.0): 2}


def three_layers():
    """A network of an embedding, three layers of a weight each, and a norm above them."""
    network = torch.nn.Module()
    network.embeddings = torch.nn.Embedding(4, 2)
    network.layer = torch.nn.ModuleList(torch.nn.Linear(2, 2, bias=False) for _ in range(3))
    network.norm = torch.nn.LayerNorm(2, bias=False)
    return PooledClassifier(network, "mean", ClassifierHead(2, 2))


def optimizer(classifier, **options):
    usual = {"learning_rate": 1.0, "head_learning_rate": 9.0, "weight_decay": 0.0, "warmup": 0.0}
    return optimizer_of(classifier, **{**usual, **options})


def rates(classifier, made):
    """Rate by the name of each parameter of the network."""
    names = {id(one): name for name, one in classifier.network.named_parameters()}
    return {
        names[id(one)]: group["lr"]
        for group in made.param_groups
        for one in group["params"]
        if id(one) in names
    }


def test_each_layer_has_a_share_of_the_rate_of_the_one_above_it():
    classifier = three_layers()
    made, _ = optimizer(classifier, total=10, layer_decay=0.5)
    assert rates(classifier, made) == {
        "norm.weight": 1.0, "layer.2.weight": 1.0, "layer.1.weight": 0.5, "layer.0.weight": 0.25,
        "embeddings.weight": 0.125,
    }  # fmt: skip


def test_layers_join_from_the_top_and_all_learn_in_the_last_epoch():
    # the head, then three layers, then embeddings
    assert [first_epoch(depth, 3, 9) for depth in range(4)] == [1, 2, 3, 4]
    assert [first_epoch(depth, 3, 5) for depth in range(4)] == [1, 2, 3, 4]
    assert [first_epoch(depth, 3, 3) for depth in range(4)] == [1, 1, 2, 2]
    assert [first_epoch(depth, 12, 1) for depth in range(13)] == [0] * 13


def test_a_layer_that_has_not_joined_does_not_move():
    classifier = three_layers()
    made, schedule = optimizer(classifier, total=10, epochs=5, gradual=True)  # 2 steps an epoch
    joined = {}
    for step in range(10):
        before = {n: p.detach().clone() for n, p in classifier.named_parameters()}
        for parameter in classifier.parameters():
            parameter.grad = torch.ones_like(parameter)
        made.step()
        schedule.step()
        for name, parameter in classifier.named_parameters():
            if not torch.equal(parameter, before[name]):
                joined.setdefault(name, step)
    assert {step for name, step in joined.items() if name.startswith("head.")} == {0}
    own = {name: step for name, step in joined.items() if name.startswith("network.")}
    assert own == {
        "network.norm.weight": 2, "network.layer.2.weight": 2, "network.layer.1.weight": 4,
        "network.layer.0.weight": 6, "network.embeddings.weight": 8,
    }  # fmt: skip
