"""Which layers and poolings the options of strategy ``features`` stand for."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.backends.hidden import HiddenStates, check_poolings, layer_places
from promptkit.errors import CapabilityError, SpecError, nearest
from promptkit.strategies.layer_choice import View

CHOOSE, ONE, AUTO, ALL, MIX = "choose", "one", "auto", "all", "mix"
WORDS = (CHOOSE, ONE, AUTO, ALL, MIX)
#: Adjacent layers of a block; half of the layers where a model has fewer than twice as many.
BLOCK = 4
#: Blocks of a model at about most: those of a deep model do not begin at every layer.
BLOCKS = 8
Layers = int | str | Sequence[int]


def check_layers(layers: object) -> None:
    """Refuse what names no layers; whether a model has them is seen when it is read.

    Raises:
        SpecError: Says what the option may be.
    """
    if isinstance(layers, str):
        if layers not in WORDS:
            raise SpecError(
                f"option 'layers' is {layers!r}; {nearest(layers, WORDS)}, or give a "
                "number such as -1, or a list of numbers"
            )
        return
    numbers = [layers] if isinstance(layers, int) else layers
    if (
        not isinstance(numbers, list | tuple)
        or not numbers
        or any(isinstance(one, bool) or not isinstance(one, int) for one in numbers)
    ):
        raise SpecError(
            f"option 'layers' is {layers!r}; it must be 'choose', 'one', 'auto', 'all', 'mix', "
            "a number, or a list of numbers"
        )


def check_pooling(pooling: object) -> None:
    """Refuse what names no pooling.

    Raises:
        SpecError: Names the nearest one.
    """
    if pooling != CHOOSE:
        check_poolings([str(pooling)])


def poolings_of(pooling: str, states: HiddenStates) -> tuple[str, ...]:
    """The poolings to choose among; the usual ones of the model for ``choose``.

    Raises:
        CapabilityError: ``cls`` of a causal model, whose first token has seen nothing.
    """
    if pooling == CHOOSE:
        return states.usual_poolings
    if pooling == "cls" and states.kind == "causal":
        raise CapabilityError(
            f"pooling 'cls' reads the first token, and that of the causal model {states.model!r} "
            "has seen nothing of the text; use 'last' or 'mean'"
        )
    return (pooling,)


def views_of(layers: Layers, poolings: Sequence[str], n_states: int) -> list[View]:
    """What to choose among.

    Args:
        layers: The option.
        poolings: See `poolings_of`.
        n_states: Layers of the model, the embedding included.

    Raises:
        SpecError: A layer that the model does not have, or one twice.
    """
    if layers in (CHOOSE, AUTO):
        last = (n_states - 1,)
        tried = [*blocks_of(n_states), *([last] if n_states > 1 else [])]
        return [View(name, block) for name in poolings for block in tried]
    if layers == ONE:
        return [View(name, (place,)) for name in poolings for place in range(n_states)]
    if isinstance(layers, str):
        return [View(name, tuple(range(n_states))) for name in poolings]
    places = layer_places([layers] if isinstance(layers, int) else layers, n_states)
    if len(set(places)) < len(places):
        raise SpecError(f"option 'layers' is {layers!r}: one layer stands there twice")
    return [View(name, tuple(places)) for name in poolings]


def blocks_of(n_states: int) -> list[tuple[int, ...]]:
    """Blocks of adjacent layers, the last of which ends with the last layer.

    >>> blocks_of(7)
    [(0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (3, 4, 5, 6)]
    """
    size = min(BLOCK, (n_states + 1) // 2)
    step = max(1, n_states // BLOCKS)
    starts = range(n_states - size, -1, -step)
    return [tuple(range(start, start + size)) for start in reversed(starts)]
