"""A fit's randomness is its own."""

import random

import numpy as np
import torch

from promptkit.strategies.randomness import own_randomness


def draws():
    return random.random(), float(np.random.rand()), float(torch.rand(1))


def test_the_generators_are_left_as_they_were_found():
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    wanted = draws()
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    with own_randomness(1):
        draws()
    assert draws() == wanted


def test_the_same_seed_draws_the_same():
    found = []
    for seed in (1, 1, 2):
        with own_randomness(seed):
            found.append(draws())
    assert found[0] == found[1] != found[2]
