import pytest

from promptkit.metrics import Spread, spread


def test_spread_by_hand() -> None:
    assert spread([0.5, 0.75, 0.25]) == Spread(mean=0.5, lowest=0.25, highest=0.75, n=3)


def test_spread_of_one_value_is_that_value() -> None:
    assert spread(iter([0.5])) == Spread(0.5, 0.5, 0.5, 1)


def test_spread_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no values"):
        spread([])
