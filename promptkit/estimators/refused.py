"""Refusals in scikit-learn's manner: what is wrong with X, y or an argument is a ValueError too.

promptkit's own errors stay what they are, so that ``except PromptkitError`` finds them; code that
was written for scikit-learn looks for `ValueError`, and finds them as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from promptkit.errors import DataError, SpecError

_P = ParamSpec("_P")
_R = TypeVar("_R")


class InputRefused(DataError, ValueError):
    """Rows or labels that an estimator cannot use; names row and field."""


class OptionRefused(SpecError, ValueError):
    """An argument of an estimator that cannot be what it is."""


def refusing(method: Callable[_P, _R]) -> Callable[_P, _R]:
    """Raise what the method refuses as one of the two above."""

    @wraps(method)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return method(*args, **kwargs)
        except (InputRefused, OptionRefused):
            raise
        except DataError as error:
            raise InputRefused(str(error)) from error
        except SpecError as error:
            raise OptionRefused(str(error)) from error

    return wrapped
