"""The same demonstrations for every query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from promptkit.errors import SpecError, nearest
from promptkit.selectors.balanced import by_turns
from promptkit.selectors.copies import copy_key
from promptkit.selectors.draw import ranker
from promptkit.selectors.pool import Pool, check_k, checked
from promptkit.types import Example


class FixedSelector:
    """Draws one order of the pool, even over the labels, and shows its first k rows to every query.

    A query that is itself among them, or has a copy there, is shown the next row of the order
    instead. All other prompts begin alike, so a backend can compute that beginning once.

    Args:
        seed: Seed of the order.
        ids: The rows to show, in this order, instead of drawn ones; k shows the first k of them.
    """

    def __init__(self, seed: int = 0, ids: Sequence[str] | None = None) -> None:
        self.seed = seed
        self.ids = ids

    def fit(self, pool: Sequence[Example]) -> FixedSelector:
        """Draw the order, or look the ids up.

        Raises:
            DataError: A row has no label, or two different rows share an id.
            SpecError: An id is not in the pool, or two ids name one row or one text.
        """
        if self.ids is None:
            self.order_ = tuple((row, copy_key(row)) for row in _drawn(Pool.of(pool), self.seed))
        else:
            self.order_ = tuple((row, copy_key(row)) for row in _named(pool, self.ids))
            _check_distinct(self.order_)
        return self

    def select(self, query: Example, k: int) -> list[Example]:
        """The first k rows of the order that are neither the query nor a copy of it.

        Raises:
            SpecError: k is negative.
        """
        check_k(k)
        same = copy_key(query)
        return list(
            islice((row for row, key in self.order_ if row.id != query.id and key != same), k)
        )


def _drawn(pool: Pool, seed: int) -> Iterator[Example]:
    rank = ranker(seed, "")
    rows = {label: [pool.rows[place] for place in own] for label, own in pool.by_label().items()}
    queues = {label: iter(sorted(own, key=lambda row: rank(row.id))) for label, own in rows.items()}
    return by_turns(queues, rank)


def _named(pool: Sequence[Example], ids: Sequence[str]) -> list[Example]:
    by_id = checked(pool)
    for name in ids:
        if name not in by_id:
            raise SpecError(
                f"option 'ids': no pool row has the id {name!r}; {nearest(name, by_id)}"
            )
    return [by_id[name] for name in ids]


def _check_distinct(order: Sequence[tuple[Example, str]]) -> None:
    first: dict[str, str] = {}
    for row, key in order:
        if key in first:
            raise SpecError(
                f"option 'ids': {first[key]!r} and {row.id!r} hold the same text; keep one of them"
            )
        first[key] = row.id
