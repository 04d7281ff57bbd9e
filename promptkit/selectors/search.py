"""A search for the demonstrations that serve best, within a budget of sets that are tried.

Sets differ more than most other choices of a prompt do (Zhao et al., 2021), and on labelled rows
that are set apart it can be measured how well each serves. Here stands what needs no model: half of
the budget goes to sets drawn at random, class-balanced, and the rest to the best of them with one
row after the other exchanged. Who asks a model hands in what a set is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

from promptkit.chance import ranker
from promptkit.errors import DataError, SpecError
from promptkit.selectors.balanced import by_turns
from promptkit.selectors.pool import Pool, check_k
from promptkit.types import Example, label_key

#: What demonstrations are worth, more being better: the mean log-probability of the gold labels of
#: rows that are set apart, say, which tells sets apart where accuracy would leave them tied.
Worth = Callable[[Sequence[Example]], float]
#: Draws in a row that give nothing new, after which there is taken to be nothing new.
_PATIENCE = 100


@dataclass(frozen=True)
class Searched:
    """What a search found.

    Args:
        shots: The best set, in the order in which it was tried.
        worth: What it is worth on the rows by which it was chosen, which flatters it.
        tried: The ids of each set that was tried and what it was worth, in that order.
    """

    shots: tuple[Example, ...]
    worth: float
    tried: tuple[tuple[tuple[str, ...], float], ...]


def set_apart(
    rows: Sequence[Example], n: int, seed: int = 0
) -> tuple[list[Example], list[Example]]:
    """Rows to choose demonstrations from, and n rows, even over the labels, to judge them by.

    No text stands in both, as copies count once.

    Raises:
        DataError: There are not enough rows.
    """
    pool = Pool.of(rows)
    if not 0 < n < len(pool.rows):
        raise DataError(
            f"{n} rows to judge demonstrations by are to be set apart from {len(pool.rows)} "
            "different ones, and some must be left to choose from"
        )
    judges = list(islice(_evenly(pool, seed, "apart"), n))
    apart = {row.id for row in judges}
    return [row for row in pool.rows if row.id not in apart], judges


def searched(
    rows: Sequence[Example], k: int, worth: Worth, budget: int = 32, seed: int = 0
) -> Searched:
    """The best set of k rows among those that were tried; the earlier one where two are alike.

    No set is tried twice, in whichever order its rows would stand.

    Args:
        rows: What is chosen from.
        k: Rows of a set; all where there are fewer.
        worth: Asked once for each set that is tried.
        budget: Sets that are tried at most.
        seed: Seed of all draws, which hang on it and on the rows' ids and labels.

    Raises:
        SpecError: A budget below 1, or k below 0.
        DataError: A row has no label, or two different rows share an id.
    """
    check_k(k)
    if budget < 1:
        raise SpecError(f"a search needs a budget of 1 set or more; got {budget}")
    pool = Pool.of(rows)
    tried: dict[frozenset[str], tuple[tuple[str, ...], float]] = {}
    best: tuple[Example, ...] = ()
    best_worth = float("-inf")

    def attempt(shots: tuple[Example, ...]) -> None:
        nonlocal best, best_worth
        own = float(worth(shots))
        ids = tuple(row.id for row in shots)
        tried[frozenset(ids)] = ids, own
        if own > best_worth or len(tried) == 1:
            best, best_worth = shots, own

    drawn = (tuple(islice(_evenly(pool, seed, f"set {n}"), k)) for n in count())
    for shots in _untried(drawn, tried):
        attempt(shots)
        if len(tried) >= (budget + 1) // 2:
            break
    changed = (_exchanged(best, pool, ranker(seed, f"exchange {n}")) for n in count())
    if len(tried) < budget:
        for shots in _untried(changed, tried):
            attempt(shots)
            if len(tried) >= budget:
                break
    return Searched(best, best_worth, tuple(tried.values()))


def _evenly(pool: Pool, seed: int, what: str) -> Iterator[Example]:
    """The pool in a drawn order, even over the labels."""
    rank = ranker(seed, what)
    rows = {label: [pool.rows[place] for place in own] for label, own in pool.by_label().items()}
    return by_turns(
        {label: iter(sorted(own, key=lambda row: rank(row.id))) for label, own in rows.items()},
        rank,
    )


def _untried(
    sets: Iterator[tuple[Example, ...]], tried: dict[frozenset[str], tuple[tuple[str, ...], float]]
) -> Iterator[tuple[Example, ...]]:
    """Sets that were not tried, until there seem to be none."""
    idle = 0
    for shots in sets:
        idle += 1
        if frozenset(row.id for row in shots) not in tried:
            idle = 0
            yield shots
        if idle >= _PATIENCE:
            return


def _exchanged(
    shots: tuple[Example, ...], pool: Pool, rank: Callable[[str], bytes]
) -> tuple[Example, ...]:
    """The set with one row exchanged for another of its label, in its place, where there is one."""
    held = {row.id for row in shots}
    for row in sorted(shots, key=lambda row: rank(f"out/{row.id}")):
        others = [
            other
            for other in pool.rows
            if other.id not in held and label_key(other.label) == label_key(row.label)
        ]
        if others:
            chosen = min(others, key=lambda other: rank(f"in/{other.id}"))
            return tuple(chosen if one is row else one for one in shots)
    return shots
