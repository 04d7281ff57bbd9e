"""The learning rate rises and falls; norms and biases are not decayed."""

import pytest
import torch

from promptkit.strategies.classifier_head import ClassifierHead
from promptkit.strategies.pooled_classifier import PooledClassifier
from promptkit.strategies.schedule import optimizer_of, share_of_rate


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
