"""Batches as the Trainer gets them."""

import pytest
import torch

from promptkit.backends.meter import Meter
from promptkit.errors import CapabilityError
from promptkit.protocols import unwatched
from promptkit.strategies.training import Batches, Recipe, Rows, train

ROWS = Rows([[1] * length for length in (3, 9, 4, 8, 5)], [0, 1, 0, 1, 0])
RECIPE = Recipe(2, 2, 1e-3, 1e-3, 0.0, 0.0, 1, 0, torch.float32)


def collate(ids, device):
    width = max(map(len, ids))
    return {"input_ids": torch.tensor([[*one, *[0] * (width - len(one))] for one in ids])}


def test_labels_stay_with_their_rows_in_every_epoch():
    batches = Batches(ROWS, collate, RECIPE, Meter(), shuffled=True)
    for epoch in range(3):
        batches.set_epoch(epoch)
        found = list(batches)
        assert len(found) == len(batches) == 3
        pairs = {
            (int((row != 0).sum()), int(label))
            for batch in found
            for row, label in zip(batch["input_ids"], batch["labels"], strict=True)
        }
        assert pairs == {(3, 0), (9, 1), (4, 0), (8, 1), (5, 0)}


def test_positions_are_counted_padding_included():
    meter = Meter()
    list(Batches(ROWS, collate, RECIPE, meter, shuffled=False))
    assert meter.cost.computed_tokens == 5 * 9


def test_another_gpu_than_the_first_is_refused_with_a_way_out():
    with pytest.raises(CapabilityError, match="CUDA_VISIBLE_DEVICES"):
        train(
            None,
            ROWS,
            None,
            RECIPE,
            collate=collate,
            meter=Meter(),
            device=torch.device("cuda:1"),
            folder=None,
            on_step=unwatched,
        )
