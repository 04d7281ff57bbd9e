"""Held-out training rows: stratified, and only where there are enough."""

import numpy as np
import pytest

from promptkit.strategies.held_out import ENOUGH, hold_out


def test_every_label_gives_its_share():
    targets = [0] * 50 + [1] * 30 + [2] * 20
    rest, held = hold_out(targets, 0.2, seed=0)
    assert np.bincount(np.array(targets)[held]).tolist() == [10, 6, 4]
    assert sorted([*rest, *held]) == list(range(100))


def test_a_label_with_few_rows_keeps_them_all():
    targets = [0] * 96 + [1] * 4
    _, held = hold_out(targets, 0.2, seed=0)
    assert set(np.array(targets)[held]) == {0}


@pytest.mark.parametrize("targets", [[0, 1] * (ENOUGH // 2 - 1), list(range(100)) * 2])
def test_too_few_rows_are_all_trained_upon(targets):
    rest, held = hold_out(targets, 0.2, seed=0)
    assert len(held) == 0
    assert rest.tolist() == list(range(len(targets)))


def test_a_share_of_0_holds_nothing_out():
    assert len(hold_out([0, 1] * 100, 0.0, seed=0)[1]) == 0


def test_the_draw_depends_on_the_seed_alone():
    first, again, other = (hold_out([0, 1] * 100, 0.2, seed)[1].tolist() for seed in (1, 1, 2))
    assert first == again != other
