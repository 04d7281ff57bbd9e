"""Weights of labels in the loss."""

import pytest

from promptkit.errors import SpecError
from promptkit.strategies.class_weights import weights_of


def test_none_weighs_all_rows_alike():
    assert weights_of([0, 0, 1], 2, "none") is None


def test_balanced_lets_every_label_count_alike_in_sum():
    assert weights_of([0, 0, 0, 1], 2, "balanced") == pytest.approx([4 / 6, 4 / 2])


def test_another_name_is_refused_with_the_nearest():
    with pytest.raises(SpecError, match="did you mean 'balanced'"):
        weights_of([0, 1], 2, "balance")
