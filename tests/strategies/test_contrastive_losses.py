"""Losses over all pairs of a batch, against numbers by hand and plain loops."""

import math
from itertools import product

import pytest
import torch

from promptkit.errors import SpecError
from promptkit.strategies.contrastive_losses import MARGIN, TEMPERATURE, batch_loss

NAMES = ("all_triplets", "hard_triplets", "supervised_contrastive", "cosine_pairs")
LABELS = torch.tensor([0, 0, 1, 1, 2])


def at(*degrees):
    """Vectors of the plane at these angles, of lengths that must not matter."""
    angles = torch.deg2rad(torch.tensor(degrees, dtype=torch.float64))
    lengths = torch.arange(1, len(degrees) + 1)[:, None]
    return torch.stack([angles.cos(), angles.sin()], dim=1) * lengths


VECTORS = at(0, 50, 70, 100, 20)


def cosine(one, other):
    return float(torch.nn.functional.cosine_similarity(VECTORS[one], VECTORS[other], dim=0))


def triplets():
    for a, p, n in product(range(5), repeat=3):
        if a != p and LABELS[a] == LABELS[p] and LABELS[a] != LABELS[n]:
            yield a, p, n


def test_all_triplets_is_the_mean_lack_of_those_that_break_the_margin():
    lacks = [cosine(a, n) - cosine(a, p) + MARGIN for a, p, n in triplets()]
    broken = [lack for lack in lacks if lack > 0]
    assert 0 < len(broken) < len(lacks)
    expected = sum(broken) / len(broken)
    assert float(batch_loss("all_triplets")(VECTORS, LABELS)) == pytest.approx(expected)


def test_supervised_contrastive_is_the_mean_over_rows_that_have_a_partner():
    of_rows = []
    for a in range(4):  # the fifth row is alone with its label
        others = [b for b in range(5) if b != a]
        total = math.log(sum(math.exp(cosine(a, b) / TEMPERATURE) for b in others))
        own = [b for b in others if LABELS[a] == LABELS[b]]
        of_rows.append(-sum(cosine(a, b) / TEMPERATURE - total for b in own) / len(own))
    found = batch_loss("supervised_contrastive")(VECTORS, LABELS)
    assert float(found) == pytest.approx(sum(of_rows) / 4)


def test_cosine_pairs_weighs_both_kinds_of_pairs_alike():
    pairs = [(a, b) for a in range(5) for b in range(a)]
    own = [(cosine(a, b) - 1) ** 2 for a, b in pairs if LABELS[a] == LABELS[b]]
    other = [cosine(a, b) ** 2 for a, b in pairs if LABELS[a] != LABELS[b]]
    expected = (sum(own) / len(own) + sum(other) / len(other)) / 2
    assert float(batch_loss("cosine_pairs")(VECTORS, LABELS)) == pytest.approx(expected)


@pytest.mark.parametrize("name", NAMES)
def test_rows_near_their_own_label_cost_less(name):
    loss, labels = batch_loss(name), torch.tensor([0, 0, 1, 1])
    assert loss(at(0, 10, 80, 90), labels) < loss(at(0, 80, 10, 90), labels)


@pytest.mark.parametrize("name", NAMES)
def test_going_down_a_loss_brings_rows_of_one_label_together(name):
    labels = torch.arange(12) % 3
    vectors = torch.randn(12, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    optimizer = torch.optim.Adam([vectors], 0.02)
    for _ in range(200):
        optimizer.zero_grad()
        batch_loss(name)(vectors, labels).backward()
        optimizer.step()
    unit = torch.nn.functional.normalize(vectors.detach(), dim=-1)
    own = (labels[:, None] == labels[None, :]) & ~torch.eye(12, dtype=torch.bool)
    other = labels[:, None] != labels[None, :]
    assert (unit @ unit.T)[own].min() > (unit @ unit.T)[other].max()


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_finite_even_for_equal_vectors(name):
    vectors = at(30, 30, 30, 90).requires_grad_()
    batch_loss(name)(vectors, torch.tensor([0, 0, 1, 1])).backward()
    assert torch.isfinite(vectors.grad).all()


@pytest.mark.parametrize("name", NAMES)
def test_rows_all_well_apart_give_a_finite_loss(name):
    vectors = at(0, 0, 180, 180).requires_grad_()
    found = batch_loss(name)(vectors, torch.tensor([0, 0, 1, 1]))
    found.backward()
    assert torch.isfinite(found)
    assert torch.isfinite(vectors.grad).all()


def test_an_unknown_loss_is_refused_with_the_nearest_name():
    with pytest.raises(SpecError, match=r"no contrastive loss named 'triplets'.*triplets"):
        batch_loss("triplets")
