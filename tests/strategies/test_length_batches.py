"""Batches for training: every row once, similar lengths together."""

from hypothesis import given
from hypothesis import strategies as st

from promptkit.strategies.length_batches import length_batches


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=200), st.integers(1, 32), st.integers(0, 5)
)
def test_every_row_is_in_one_batch_of_the_size(lengths, size, epoch):
    found = length_batches(lengths, size, 0, epoch)
    assert sorted(row for batch in found for row in batch) == list(range(len(lengths)))
    assert all(len(batch) <= size for batch in found)
    assert len(found) == -(-len(lengths) // size)


def test_an_epoch_has_an_order_of_its_own_whatever_came_before():
    lengths = list(range(1, 41))
    assert length_batches(lengths, 4, 0, 3) == length_batches(lengths, 4, 0, 3)
    assert length_batches(lengths, 4, 0, 3) != length_batches(lengths, 4, 0, 4)
    assert length_batches(lengths, 4, 0, 3) != length_batches(lengths, 4, 1, 3)


def test_batches_pad_less_than_rows_in_any_order():
    lengths = [5, 50] * 64
    padded = sum(
        max(lengths[row] for row in batch) * len(batch)
        for batch in length_batches(lengths, 8, 0, 0)
    )
    assert padded < 1.2 * sum(lengths)
