"""One choice: configurations looked at on more and more rows, and dropped where tokens are short.

Successive halving (Jamieson and Talwalkar 2016): all configurations are scored on a few rows, the
worse half is dropped, the rows are doubled. Where the tokens suffice to score all that are left on
all rows, nothing is dropped any more: halving saves, and choosing on few rows is all that it adds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, log2, sqrt

import numpy as np

from promptkit.errors import CapabilityError, DataError
from promptkit.runs.search.bench import Bench, Measured
from promptkit.runs.search.metered import Exceeded, Ledger
from promptkit.runs.search.nouns import Configuration
from promptkit.types import Example

#: Rows of the first look at least: the standard error of a share of 32 rows is 0.09 at worst.
FIRST_ROWS = 32


@dataclass(frozen=True)
class Choice:
    """What came of it.

    Args:
        chosen: The configuration; None where the budget allowed no look at any.
        seen: What was measured of each, on the first rows, by its place in the space.
        problems: Why others cannot be, by their place.
        dropped: Places of those that were dropped after a comparison.
        complete: Whether the budget allowed all that was to be done.
    """

    chosen: Configuration | None
    seen: Mapping[int, Measured]
    problems: Mapping[int, str] = field(default_factory=dict)
    dropped: frozenset[int] = frozenset()
    complete: bool = True


def choose(
    bench: Bench,
    space: Sequence[Configuration],
    pool: Sequence[Example],
    ledger: Ledger,
    allowed: float,
    *,
    n_held: int = 0,
    rule: str = "best",
    on_look: Callable[[], None] = lambda: None,
) -> Choice:
    """Choose on these rows alone.

    Args:
        bench: Asks.
        space: The simplest first.
        pool: Rows in an order that is balanced at every length.
        ledger: Tokens.
        allowed: What may be spent when it ends.
        n_held: Rows that the chosen one is to be tried on afterwards: tokens for them are kept.
        rule: ``best`` or ``simplest``, see `pick`.
        on_look: Told after each look at a configuration.
    """
    seen: dict[int, Measured] = {}
    problems: dict[int, str] = {}
    dropped: set[int] = set()
    alive, n = list(space), first_rows(len(space), len(pool))
    complete = True
    while True:
        for one in list(alive):
            dear = max((seen[x.place].tokens / seen[x.place].n for x in alive
                        if x.place in seen), default=0.0)  # fmt: skip
            ledger.limit = allowed - n_held * dear
            try:
                seen[one.place] = bench.inner(one, pool, pool[:n])
            except Exceeded:
                complete = False
                continue
            except (CapabilityError, DataError) as error:
                problems[one.place] = str(error)
                alive.remove(one)
            on_look()
        there = [one for one in alive if one.place in seen and seen[one.place].n == n]
        if not complete or n == len(pool) or not there:
            break
        there.sort(key=lambda one: (-seen[one.place].accuracy, one.place))
        alive, n = next_look(there, seen, len(pool), ledger.limit - ledger.spent)
        dropped |= {one.place for one in there if one not in alive}
    best = max((measured.n for measured in seen.values()), default=0)
    final = {place: one for place, one in seen.items() if one.n == best}
    return Choice(pick(space, final, rule), seen, problems, frozenset(dropped), complete)


def first_rows(n_configurations: int, n: int) -> int:
    """Rows of the first look: so many that halving ends with all rows."""
    halvings: int = max(ceil(log2(max(n_configurations, 1))) - 1, 0)
    return min(max(FIRST_ROWS, ceil(n / (1 << halvings))), n)


def next_look(
    ranked: Sequence[Configuration], seen: Mapping[int, Measured], n: int, left: float
) -> tuple[list[Configuration], int]:
    """Who is looked at next, and on how many rows.

    What one configuration asks, others need not: those that differ in verbalizer and calibration
    alone are reckoned once.

    Args:
        ranked: The best first, all measured on the same rows.
        seen: What was measured.
        n: All rows.
        left: Tokens that may be spent.
    """
    rows = seen[ranked[0].place].n
    prices: dict[object, float] = {}
    for one in ranked:
        asked = one.template, one.shots, str(one.selector), one.calibration.name == "channel"
        price = seen[one.place].tokens / rows * (n - rows)
        prices[asked] = max(price, prices.get(asked, 0.0))
    if sum(prices.values()) <= left:
        return list(ranked), n
    return list(ranked[: ceil(len(ranked) / 2)]), min(2 * rows, n)


def pick(
    space: Sequence[Configuration], seen: Mapping[int, Measured], rule: str
) -> Configuration | None:
    """The best of those that were measured on the same rows; of equal ones the simplest.

    With rule ``simplest``, the simplest one that is within a standard error of the best (Breiman
    et al. 1984). The error is that of the difference, row by row: two configurations that are
    right about the same rows are told apart by few of them.
    """
    known = [one for one in space if one.place in seen]
    if not known:
        return None
    best = max(known, key=lambda one: (seen[one.place].accuracy, -one.place))
    if rule == "best":
        return best
    top = seen[best.place].right.astype(float)
    for one in known:
        differences = top - seen[one.place].right
        error = float(np.std(differences)) / sqrt(len(differences))
        if differences.mean() <= error:
            return one
    return best
