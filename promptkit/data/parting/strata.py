"""What a row's part must not hang on: its label, whatever kind of label it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from promptkit.data.ids import canonical
from promptkit.data.inspection.classes import RATINGS, parts_of
from promptkit.data.profile import is_number
from promptkit.types import Scalar, Value

#: Groups of ratings, of equally many rows.
BINS = 10
#: Rows that a set of labels needs to be kept in proportion as such.
ENOUGH = 10


def strata(labels: Sequence[Value | None]) -> list[str]:
    """The group of each row whose proportion every part keeps.

    A label; of many different numbers, their tenth; of a list of labels, the whole list where it
    is frequent, and else the label of it that fewest rows have (as rare ones are soonest lost).

    Args:
        labels: (n,) of one kind; None where there is none.
    """
    sets = [parts_of(label) for label in labels]
    known = [pair for pair in zip(labels, sets, strict=True) if pair[0] is not None]
    if any(len(own) != 1 or isinstance(label, tuple) for label, own in known):
        return _of_sets(labels, sets)
    numbers = {label for label in labels if label is not None}
    if len(numbers) > RATINGS and all(map(is_number, numbers)):
        return _of_ratings(labels)
    return [canonical(label) for label in labels]


def _of_sets(labels: Sequence[Value | None], sets: Sequence[tuple[Scalar, ...]]) -> list[str]:
    whole = [canonical(sorted(own, key=str)) for own in sets]
    times = Counter(whole)
    rows = Counter(canonical(one) for own in sets for one in set(own))

    def of(label: Value | None, own: tuple[Scalar, ...], name: str) -> str:
        if label is None or not own or times[name] >= ENOUGH:
            return "null" if label is None else name
        return min((canonical(one) for one in own), key=lambda one: (rows[one], one))

    return [of(*row) for row in zip(labels, sets, whole, strict=True)]


def _of_ratings(labels: Sequence[Value | None]) -> list[str]:
    numbers = [None if label is None else float(str(label)) for label in labels]
    known = sorted(number for number in numbers if number is not None)
    # equal numbers are one group, so a border is a number and no row's place
    borders = [known[len(known) * at // BINS] for at in range(1, BINS)]
    return [
        "null" if number is None else str(sum(number >= border for border in borders))
        for number in numbers
    ]
