"""Options of strategies that are trained by gradient, looked at before a model is loaded."""

from __future__ import annotations

from collections.abc import Mapping

from promptkit.errors import SpecError


def check_numbers(
    whole: Mapping[str, int], above_0: Mapping[str, float], shares: Mapping[str, float]
) -> None:
    """Refuse numbers that cannot be meant.

    Args:
        whole: Names and values that must be whole and at least 1.
        above_0: Those that must be above 0.
        shares: Those that must be from 0 to below 1.

    Raises:
        SpecError: Names the option, and says what it may be.
    """
    for name, value in whole.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise SpecError(f"option {name!r} is {value!r}; it must be a whole number from 1 on")
    for name, number in above_0.items():
        if not _is_number(number) or not number > 0:
            raise SpecError(f"option {name!r} is {number!r}; it must be above 0")
    for name, number in shares.items():
        if not _is_number(number) or not 0 <= number < 1:
            raise SpecError(f"option {name!r} is {number!r}; it must be from 0 to below 1")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
