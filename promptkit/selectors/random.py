"""Demonstrations drawn at random."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.selectors.draw import Lots
from promptkit.selectors.pool import Pool, check_k
from promptkit.selectors.ranking import top
from promptkit.types import Example


class RandomSelector:
    """Draws uniformly without replacement, anew for each query.

    On two balanced classes, one prompt in eight with four such shots shows a single class only:
    prefer ``balanced``.

    Args:
        seed: Seed; the draw depends on it, the query's id and the rows' ids.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, pool: Sequence[Example]) -> RandomSelector:
        """Keep the pool, each text once.

        Raises:
            DataError: A row has no label, or two different rows share an id.
        """
        self.pool_ = Pool.of(pool)
        self.lots_ = Lots(self.seed, (row.id for row in self.pool_.rows))
        return self

    def select(self, query: Example, k: int) -> list[Example]:
        """At most k rows in the order drawn; fewer shots are the first of more.

        Raises:
            SpecError: k is negative.
        """
        check_k(k)
        places = top(self.lots_.drawn(query.id), k, self.pool_.barred(query))
        return [self.pool_.rows[place] for place in places]
