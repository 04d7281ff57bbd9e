"""The same demonstrations for every query, elected by the rows that they stand near."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from promptkit.errors import SpecError
from promptkit.protocols import CanEncode
from promptkit.selectors.draw import Lots
from promptkit.selectors.embedded import EmbeddedPool
from promptkit.selectors.pool import Pool, check_k
from promptkit.selectors.ranking import top
from promptkit.types import Example


class VoteKSelector:
    """Shows the rows that most rows have among their nearest neighbours (Su et al., 2022).

    Each row votes for its nearest neighbours. The row with most votes is elected; a voter that has
    some elected neighbours counts ``discount`` to the power of minus their number, and one that is
    elected no more; and so on. This is the paper's election without its second stage, which asks a
    model how sure it is. Labels are not looked at. A query that is itself elected, or has a copy
    there, is shown the next row instead. Ties go to the lower id.

    Args:
        seed: Seed of the draw of voters.
        encoder: Embeds texts into vectors of length one.
        neighbours: Rows that a row votes for.
        discount: Above 1; the greater, the further apart the elected rows are.
        voters: In a larger pool, so many drawn rows vote, and any row may be elected. Time grows
            with voters times rows: 2,000 of 100,000 take 4 seconds, all of them would take minutes.
    """

    def __init__(
        self,
        seed: int = 0,
        encoder: CanEncode | None = None,
        neighbours: int = 150,
        discount: float = 10.0,
        voters: int = 2000,
    ) -> None:
        if not discount > 1:
            raise SpecError(f"option 'discount' is {discount!r}; it must be above 1")
        for name, number in (("neighbours", neighbours), ("voters", voters)):
            if number < 1:
                raise SpecError(f"option {name!r} is {number!r}; it must be 1 or more")
        self.seed = seed
        self.encoder = encoder
        self.neighbours = neighbours
        self.discount = discount
        self.voters = voters

    def fit(self, pool: Sequence[Example]) -> VoteKSelector:
        """Embed the pool, each text once, and find whom each voter votes for.

        Raises:
            DataError: A row has no label, or two different rows share an id.
            SpecError: There is no encoder.
        """
        self.pool_ = Pool.of(pool)
        self.embedded_ = EmbeddedPool(self.pool_, self.encoder, "vote_k")
        lots = Lots(self.seed, (row.id for row in self.pool_.rows)).drawn("")
        self.voters_ = np.array(top(lots, self.voters), np.intp)
        self.votes_ = self.embedded_.neighbours(self.voters_, self.neighbours)
        self.weights_ = np.ones(len(self.voters_))
        self.elected_: list[int] = []
        return self

    def select(self, query: Example, k: int) -> list[Example]:
        """The first k elected rows that are neither the query nor a copy of it.

        Raises:
            SpecError: k is negative.
        """
        check_k(k)
        barred = self.pool_.barred(query)
        self._elect(k + len(barred))
        shown = [place for place in self.elected_ if place not in barred]
        return [self.pool_.rows[place] for place in shown[:k]]

    def _elect(self, number: int) -> None:
        """Elect until there are so many; whom hangs on the pool and the options alone."""
        n = len(self.pool_.rows)
        while len(self.elected_) < min(number, n):
            weights = np.repeat(self.weights_, self.votes_.shape[1])
            votes = np.bincount(self.votes_.ravel(), weights, minlength=n)
            # sums of the same weights in another order differ in the last bits
            votes = np.round(votes, 9)
            votes[self.elected_] = -1
            best = int(np.argmax(votes))
            self.elected_.append(best)
            self.weights_[(self.votes_ == best).any(axis=1)] /= self.discount
            self.weights_[self.voters_ == best] = 0
