"""The module that is trained: its loss, and what its state holds."""

import pytest
import torch

from promptkit.backends.weights import locate
from promptkit.strategies.classifier_head import ClassifierHead
from promptkit.strategies.pooled_classifier import PooledClassifier
from promptkit.strategies.pretrained import load_located
from tests.strategies.tuned import family

IDS, MASK = torch.tensor([[2, 7, 8, 3], [2, 9, 3, 0]]), torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])


def classifier(weights=None):
    network = load_located(locate(family("bert")), 64, torch.float32).network
    return PooledClassifier(network, "mean", ClassifierHead(32, 3), weights).eval()


def test_without_labels_there_are_logits_alone():
    found = classifier()(IDS, MASK)
    assert set(found) == {"logits"}
    assert found["logits"].shape == (2, 3)


def test_the_loss_is_weighted_by_label():
    one = classifier((1.0, 3.0, 1.0))
    found = one(IDS, MASK, torch.tensor([0, 1]))
    each = -found["logits"].log_softmax(1)[[0, 1], [0, 1]]
    assert found["loss"].item() == pytest.approx((each[0] + 3 * each[1]).item() / 4)


def test_the_state_holds_what_is_trained_and_nothing_frozen():
    one = classifier()
    one.network.requires_grad_(False)
    one.network.encoder.layer[1].requires_grad_(True)
    names = set(one.state_dict())
    assert {"head.center", "head.scale", "head.out.weight", "head.out.bias"} <= names
    assert {n.partition(".layer.")[2][:2] for n in names if n.startswith("network.")} == {"1."}
    assert one.trained() == sum(
        p.numel() for p in [*one.network.encoder.layer[1].parameters(), *one.head.parameters()]
    )


def test_a_state_is_taken_up_and_a_foreign_one_is_not():
    one, other = classifier(), classifier()
    other.take(one.state_dict())
    assert torch.equal(one(IDS, MASK)["logits"], other(IDS, MASK)["logits"])
    with pytest.raises(RuntimeError, match=r"'network\.adapter', which this classifier lacks"):
        other.take({"network.adapter": torch.zeros(1)})
