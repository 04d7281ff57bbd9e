"""Demonstrations of every label, as evenly as the pool allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from promptkit.selectors.draw import Lots, ranker
from promptkit.selectors.pool import Pool, check_k
from promptkit.selectors.ranking import top
from promptkit.types import Example


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
        self.labels_ = self.pool_.by_label()
        self.lots_ = Lots(self.seed, (row.id for row in self.pool_.rows))
        return self

    def select(self, query: Example, k: int) -> list[Example]:
        """At most k rows in shuffled order.

        Raises:
            SpecError: k is negative.
        """
        check_k(k)
        rank, barred = ranker(self.seed, query.id), self.pool_.barred(query)
        queues = {
            label: self._drawn(query, k, _without(places, barred))
            for label, places in self.labels_.items()
        }
        drawn = islice(by_turns(queues, rank), k)
        return sorted(drawn, key=lambda row: rank(f"shown/{row.id}"))

    def _drawn(self, query: Example, k: int, places: NDArray[np.intp]) -> Iterator[Example]:
        """At most k rows of one label; nothing is drawn of a label whose turn never comes."""
        for place in top(self.lots_.drawn(query.id, places), k):
            yield self.pool_.rows[places[place]]


def by_turns(
    queues: Mapping[str, Iterator[Example]], rank: Callable[[str], bytes]
) -> Iterator[Example]:
    """Walk the rows of all labels so that any first k of them are as even over these as can be.

    Each round takes the next row of every label that has rows left, the labels in an order drawn
    for that round; so a last, incomplete round favours no label.

    Args:
        queues: The rows of each label.
        rank: Ranks the labels of a round by ``round/<number>/<label>``.
    """
    left, number = set(queues), 0
    while left:
        for label in sorted(left, key=lambda label: rank(f"round/{number}/{label}")):
            row = next(queues[label], None)
            if row is None:
                left.remove(label)
            else:
                yield row
        number += 1


def _without(places: NDArray[np.intp], barred: set[int]) -> NDArray[np.intp]:
    for place in barred:
        places = places[places != place]
    return places
