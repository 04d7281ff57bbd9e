"""A strategy that another one fits: by its name, with what both share and options of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptkit.errors import SpecError, nearest
from promptkit.protocols import Strategy
from promptkit.registry import parameters_of
from promptkit.strategies import STRATEGIES


def inner_strategy(
    owner: str,
    of: str,
    options: Mapping[str, Any] | None,
    shared: Mapping[str, Any],
    needs: frozenset[str] = frozenset({"labels", "reading"}),
) -> Strategy:
    """Build it, not fitted.

    Args:
        owner: Name of the strategy that fits it.
        of: Its name.
        options: Its own options.
        shared: What the owner has been told; what it takes of that, it gets.
        needs: What it must take.

    Raises:
        SpecError: No such strategy, one that does not take what it needs, or an option that the
            owner has been told.
    """
    taken = parameters_of(STRATEGIES.load(of))
    if of == owner or not needs <= taken.keys():
        fit = [
            name
            for name in STRATEGIES
            if name != owner and needs <= parameters_of(STRATEGIES.load(name)).keys()
        ]
        what = "no labels upon a model" if "model" in needs else "no fixed set of labels from rows"
        raise SpecError(f"option 'of' is {of!r}, which learns {what}; {nearest(of, fit)}")
    given = {name: value for name, value in shared.items() if name in taken}
    own = dict(options or {})
    for name in own:
        if name in given:
            raise SpecError(f"option 'of_options': {name!r} is said to {owner} itself")
    return STRATEGIES.build(of, given | own)
