"""The one set of demonstrations that served best on training rows set apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from promptkit.errors import DataError, SpecError
from promptkit.learners import WorthOf
from promptkit.selectors.copies import copy_key
from promptkit.selectors.fixed import FixedSelector
from promptkit.selectors.search import searched, set_apart
from promptkit.types import Example


class SearchedSelector(FixedSelector):
    """Shows every query the set that was found best by asking the model about other training rows.

    Before a search, and where a query is a copy of one of them, it shows what `FixedSelector` does.
    A search asks ``budget`` times ``judges`` prompts, once.

    Args:
        seed: Seed of all draws.
        budget: Sets that are tried at most; see `promptkit.selectors.search`.
        judges: Training rows that sets are judged by, and that are not shown in the search; at most
            half of the rows.

    Raises:
        SpecError: A number below 1.
    """

    def __init__(self, seed: int = 0, budget: int = 16, judges: int = 32) -> None:
        super().__init__(seed)
        for name, value in (("budget", budget), ("judges", judges)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise SpecError(
                    f"option {name!r} is {value!r}; it must be a whole number from 1 on"
                )
        self.budget, self.judges = budget, judges
        self._barred: frozenset[str] = frozenset()

    def fit(self, pool: Sequence[Example]) -> SearchedSelector:
        """Forget what was found before."""
        super().fit(pool)
        self.ids_: tuple[str, ...] = ()
        return self

    def bar(self, texts: Collection[str]) -> None:
        """See `promptkit.learners.LearnsShots`; they may be shown, as by other selectors."""
        self._barred = frozenset(texts)

    def search(self, k: int, worth_of: WorthOf) -> tuple[str, ...]:
        """Ids of the best k rows; see `promptkit.learners.LearnsShots`.

        Raises:
            DataError: Fewer than two different rows that are not evaluated.
        """
        rows = [row for row, key in self.order_ if key not in self._barred]
        if len(rows) < 2:
            raise DataError(
                f"selector 'searched' judges by training rows that are not evaluated, and has "
                f"{len(rows)}; give others with --train-data FILE"
            )
        apart = max(1, min(self.judges, len(rows) // 2))
        rest, judges = set_apart(rows, apart, self.seed)
        found = searched(rest, k, lambda own: worth_of(own, judges), self.budget, self.seed)
        self.take([row.id for row in found.shots])
        return self.ids_

    def searched(self) -> tuple[str, ...]:
        """What `search` gave; empty before."""
        return self.ids_

    def take(self, ids: Sequence[str]) -> None:
        """Show these first."""
        self.ids_ = tuple(ids)
        by_id = {row.id: row for row, _ in self.order_}
        chosen = [by_id[name] for name in ids if name in by_id]
        rest = [row for row, _ in self.order_ if row.id not in set(ids)]
        self.order_ = tuple((row, copy_key(row)) for row in [*chosen, *rest])
