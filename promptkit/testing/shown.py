"""The contracts of selectors and of orders: what is shown, and how it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from promptkit.errors import DataError, SpecError
from promptkit.protocols import Order, Selector
from promptkit.selectors.copies import copy_key
from promptkit.testing.kept import POOL, QUERIES, keep, refuses
from promptkit.types import Example


def check_selector(make: Callable[..., Selector]) -> None:
    """Check a selector.

    Args:
        make: Builds one; called with ``seed=0``. Options of its own are bound by the caller.

    Raises:
        Broken: It shows the query or a copy of it, a text twice, too few or too many rows; or what
            it shows depends on the order of the rows or on earlier queries.
    """
    selector = make(seed=0)
    keep(selector.fit(POOL) is selector, selector, "fit must return the selector itself")
    for k in (0, 1, 5, 19, 50):
        _shows_as_many(selector, POOL[3], k)
    _no_copies(make)
    _depends_on_nothing_else(make)
    refuses(
        selector, lambda: make(seed=0).fit([*POOL, Example("bare", {"text": "x"})]),
        "a pool row without a label", DataError,
    )  # fmt: skip
    refuses(selector, lambda: selector.select(QUERIES[0], -1), "k = -1", SpecError)
    keep(make(seed=0).fit([]).select(QUERIES[0], 3) == [], selector, "an empty pool shows nothing")
    alone = make(seed=0).fit(POOL[:1]).select(POOL[0], 3)
    keep(alone == [], selector, "a pool of the query alone has nothing to show")


def check_order(make: Callable[..., Order]) -> None:
    """Check an order of demonstrations.

    Args:
        make: Builds one; called with ``seed=0``.

    Raises:
        Broken: It loses, adds or changes rows, or depends on earlier queries.
    """
    order = make(seed=0)
    keep(order.fit(POOL) is order, order, "fit must return the order itself")
    chosen = {query.id: Random(query.id).sample(POOL, 6) for query in QUERIES}
    first = {}
    for query in QUERIES:
        shots = list(chosen[query.id])
        first[query.id] = _ids(order.arrange(query, shots))
        keep(shots == chosen[query.id], order, "arrange must leave the given list as it is")
        same = sorted(first[query.id]) == sorted(_ids(shots))
        keep(same, order, "arrange must return the same rows, each once")
    for query in reversed(QUERIES):
        again = _ids(order.arrange(query, chosen[query.id]))
        keep(again == first[query.id], order, "the arrangement depends on earlier queries")
    keep(order.arrange(QUERIES[0], []) == [], order, "no shots must give none")
    fresh = make(seed=0).fit(POOL)
    same = all(_ids(fresh.arrange(q, chosen[q.id])) == first[q.id] for q in QUERIES)
    keep(same, order, "the same seed must give the same arrangement")


def _shows_as_many(selector: Selector, query: Example, k: int) -> None:
    shots = selector.select(query, k)
    keep(query.id not in _ids(shots), selector, f"it shows the query itself (k = {k})")
    most = min(k, len(POOL) - 1)
    keep(
        len(shots) == most, selector,
        f"it shows {len(shots)} rows where k is {k} and {len(POOL) - 1} can be shown",
    )  # fmt: skip
    keep(len(set(_ids(shots))) == len(shots), selector, f"it shows a row twice (k = {k})")
    known = {row.id: row for row in POOL}
    keep(all(known.get(s.id) == s for s in shots), selector, "it shows a row that no pool has")


def _no_copies(make: Callable[..., Selector]) -> None:
    texts = ["tea time", "Tea  Time", " TEA TIME\n", "ｔｅａ time"]
    copies = [Example(f"c{at}", {"text": text}, "ab"[at % 2]) for at, text in enumerate(texts)]
    selector = make(seed=0).fit([*copies, *POOL[:3]])
    for query in (*copies, QUERIES[1]):
        shots = selector.select(query, 9)
        keys = [copy_key(shot) for shot in shots]
        told = "it shows a copy of the query (other case or spacing is the same text)"
        keep(copy_key(query) not in keys, selector, told)
        keep(len(set(keys)) == len(keys), selector, "it shows one text twice")


def _depends_on_nothing_else(make: Callable[..., Selector]) -> None:
    selector = make(seed=0).fit(POOL)
    forward = {query.id: _ids(selector.select(query, 4)) for query in QUERIES}
    for query in reversed(QUERIES):
        again = _ids(selector.select(query, 4))
        keep(again == forward[query.id], selector, "what is shown depends on earlier queries")
    mixed = make(seed=0).fit(Random(1).sample(POOL, len(POOL)))
    same = all(_ids(mixed.select(q, 4)) == forward[q.id] for q in QUERIES)
    keep(same, selector, "what is shown depends on the order of the pool's rows")
    fewer = _ids(selector.fit(POOL[:6]).select(QUERIES[0], 3))
    fresh = _ids(make(seed=0).fit(POOL[:6]).select(QUERIES[0], 3))
    keep(fewer == fresh, selector, "fitting again must forget the first pool")


def _ids(rows: Sequence[Example]) -> list[str]:
    return [row.id for row in rows]
