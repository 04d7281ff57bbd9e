"""Demonstrations of every label, as evenly as the pool allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from promptkit.selectors.draw import ranker
from promptkit.selectors.pool import Pool, check_k
from promptkit.types import Example, label_key


class BalancedSelector:
    """Draws labels in turn, and a row of each, anew for each query.

    No label has two shots more than another that still has rows left. With k of at least the
    number of labels, each of them is shown. Where a label is an index into the row's own choices,
    the positions of the right answer are balanced, which is as useful: a model that is shown "A"
    three times learns "A".

    Zhao et al. (2021, "Calibrate Before Use") measured how a model follows the majority label of
    its shots, and the last one; hence even counts, in an order that is shuffled for each query.

    Args:
        seed: Seed; the draw depends on it, the query's id, and the rows' ids and labels.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, pool: Sequence[Example]) -> BalancedSelector:
        """Keep the pool, each text once.

        Raises:
            DataError: A row has no label, or two different rows share an id.
        """
        self.pool_ = Pool.of(pool)
        return self

    def select(self, query: Example, k: int) -> list[Example]:
        """At most k rows in shuffled order.

        Raises:
            SpecError: k is negative.
        """
        check_k(k)
        rank = ranker(self.seed, query.id)
        drawn = islice(by_turns(self.pool_.others(query), rank), k)
        return sorted(drawn, key=lambda row: rank(f"shown/{row.id}"))


def by_turns(rows: Iterable[Example], rank: Callable[[str], bytes]) -> Iterator[Example]:
    """Walk all rows so that any first k of them are as even over the labels as can be.

    Each round takes one row of every label that has rows left, the labels in an order drawn for
    that round; so a last, incomplete round favours no label.
    """
    groups: dict[tuple[str, object], list[Example]] = {}
    for row in rows:
        groups.setdefault(label_key(row.label), []).append(row)
    # The last of a list is the next: popping from its end is cheap.
    left = {
        repr(key): sorted(group, key=lambda row: rank(row.id), reverse=True)
        for key, group in groups.items()
    }
    number = 0
    while left:
        for label in sorted(left, key=lambda label: rank(f"round/{number}/{label}")):
            yield left[label].pop()
        left = {label: group for label, group in left.items() if group}
        number += 1
