"""The nearest demonstrations of every label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from promptkit.protocols import CanEncode
from promptkit.selectors.embedded import EmbeddedPool
from promptkit.selectors.pool import Pool, check_k
from promptkit.types import Example

#: Places and cosines of one label's rows, the nearest first.
Ranked = tuple[NDArray[np.intp], NDArray[np.float64]]


class NearestPerClassSelector:
    """Shows each label's rows with the highest cosine to the query, the labels in turns.

    Where `nearest` (KATE: Liu et al., 2022) shows a query deep inside one class that class only,
    and the model follows the majority of its shots (Zhao et al., 2021), here every label is shown
    once k reaches their number. Each round takes the next nearest row of every label that has rows
    left, the most similar of these rows first; so with k below the number of labels those are
    shown whose nearest row is most similar. What is taken first stands last in the prompt, right
    before the query. Ties go to the lower id.

    Args:
        seed: Taken so that selectors can be exchanged; there is nothing to draw.
        encoder: Embeds texts into vectors of length one.
    """

    def __init__(self, seed: int = 0, encoder: CanEncode | None = None) -> None:
        self.seed = seed
        self.encoder = encoder

    def fit(self, pool: Sequence[Example]) -> NearestPerClassSelector:
        """Embed the pool, each text once.

        Raises:
            DataError: A row has no label, or two different rows share an id.
            SpecError: There is no encoder.
        """
        self.pool_ = Pool.of(pool)
        self.labels_ = list(self.pool_.by_label().values())
        self.embedded_ = EmbeddedPool(self.pool_, self.encoder, "nearest_per_class")
        return self

    def prepare(self, queries: Iterable[Example]) -> None:
        """Embed many queries at once; only a matter of speed."""
        self.embedded_.prepare(queries)

    def select(self, query: Example, k: int) -> list[Example]:
        """At most k rows.

        Raises:
            SpecError: k is negative.
        """
        check_k(k)
        barred = self.pool_.barred(query)
        free = [len(own) - len(barred.intersection(own.tolist())) for own in self.labels_]
        rounds = rounds_for(free, k)
        ranked = [self.embedded_.nearest(query, rounds, barred, own) for own in self.labels_]
        taken = list(islice(in_turns(ranked), k))
        return [self.pool_.rows[place] for place in reversed(taken)]


def in_turns(labels: Sequence[Ranked]) -> Iterator[int]:
    """Places, round after round, of a round the highest cosine first, then the lower place."""
    for turn in range(max((len(places) for places, _ in labels), default=0)):
        own = [(-cosines[turn], places[turn]) for places, cosines in labels if turn < len(places)]
        for _, place in sorted(own):
            yield int(place)


def rounds_for(sizes: Sequence[int], k: int) -> int:
    """How many rounds it takes until k rows are there, or all that there are.

    >>> rounds_for([1, 5, 5], 3), rounds_for([1, 5, 5], 4), rounds_for([1, 5, 5], 99)
    (1, 2, 5)
    """
    rounds, had = 0, 0
    while had < k and rounds < max(sizes, default=0):
        rounds += 1
        had = sum(min(size, rounds) for size in sizes)
    return rounds
