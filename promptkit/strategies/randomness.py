"""Randomness of a fit's own: seeded, and the process finds its generators as it left them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Seeds the generators of Python, numpy and torch, and puts their states back at the end.

    transformers' Trainer and its dropout draw from the global generators; without this a fit would
    change what the user's next ``random()`` says.
    """
    import torch

    python, arrays = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(arrays)
