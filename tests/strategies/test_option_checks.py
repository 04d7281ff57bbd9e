"""Numbers that cannot be meant are refused by name."""

import pytest

from promptkit.errors import SpecError
from promptkit.strategies.option_checks import check_numbers


def test_numbers_that_can_be_meant_pass():
    check_numbers(whole={"epochs": 1}, above_0={"learning_rate": 1e-5}, shares={"dropout": 0})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("whole", 0),
        ("whole", 1.5),
        ("whole", True),
        ("whole", "3"),
        ("above_0", 0.0),
        ("above_0", float("nan")),
        ("above_0", None),
        ("shares", 1.0),
        ("shares", -0.1),
    ],
)
def test_others_are_named(kind, value):
    given = {"whole": {}, "above_0": {}, "shares": {}, kind: {"option_x": value}}
    with pytest.raises(SpecError, match="option 'option_x' is"):
        check_numbers(**given)
