"""Whole groups dealt into parts: sizes and labels as near to their shares as groups allow."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from promptkit.errors import DataError

#: Rounds in which each group may still move; it is over when none does.
ROUNDS = 10


class Joined:
    """Which rows belong together, directly or over others (union-find).

    Args:
        n: Rows; at first each is on its own.
    """

    def __init__(self, n: int) -> None:
        self._above = list(range(n))

    def join(self, one: int, other: int) -> None:
        """From now on these two belong together."""
        low, high = sorted((self.first(one), self.first(other)))
        self._above[high] = low

    def first(self, row: int) -> int:
        """The first row of those that belong together with this one."""
        top = row
        while self._above[top] != top:
            top = self._above[top]
        while self._above[row] != top:
            self._above[row], row = top, self._above[row]
        return top

    def join_alike(self, keys: Sequence[object]) -> None:
        """Rows with the same key belong together; None and "" are no key."""
        seen: dict[object, int] = {}
        for row, key in enumerate(keys):
            if key is not None and key != "":
                self.join(seen.setdefault(key, row), row)


def deal(
    joined: Joined, strata: Sequence[str], ids: Sequence[str], sizes: Mapping[str, int], seed: int
) -> list[str]:
    """The part of each row; rows that belong together get one.

    The largest groups are dealt first, each to the part whose shortage of rows and of the group's
    labels it lessens most; then single groups move as long as that brings all parts nearer.

    Args:
        joined: Which rows belong together.
        strata: (n,) what is kept in proportion.
        ids: (n,) names of the rows, by which groups of one size are ordered.
        sizes: Rows that each part should have, which sum to n.
        seed: Another seed, another order.

    Raises:
        DataError: Too few groups to fill every part.
    """
    rows_of: dict[int, list[int]] = {}
    for row in range(len(strata)):
        rows_of.setdefault(joined.first(row), []).append(row)
    parts = [part for part in sizes if sizes[part]]
    if len(rows_of) < len(parts):
        raise DataError(
            f"{len(rows_of)} group{'s' if len(rows_of) > 1 else ''} cannot fill {len(parts)} "
            "parts, as none is split; group by another column, or ask for fewer parts"
        )
    names = {first: min(ids[row] for row in rows) for first, rows in rows_of.items()}
    order = sorted(rows_of, key=lambda one: (-len(rows_of[one]), _rank(names[one], seed)))
    table = _Table(strata, {part: sizes[part] for part in parts})
    counts = {one: Counter(strata[row] for row in rows_of[one]) for one in order}
    place = {}
    for one in order:
        place[one] = min(parts, key=lambda part: table.change(part, counts[one], 1))
        table.move(place[one], counts[one], 1)
    _improve(order, counts, place, table, parts)
    _fill(order, counts, place, table, parts)
    return [place[joined.first(row)] for row in range(len(strata))]


class _Table:
    """How far parts are from what they should hold: squares, relative to each label's rows."""

    def __init__(self, strata: Sequence[str], sizes: Mapping[str, int]) -> None:
        self.n, self.sizes = len(strata), sizes
        self.total = Counter(strata)
        self.rows: Counter[str] = Counter()
        self.held: dict[str, Counter[str]] = {part: Counter() for part in sizes}

    def change(self, part: str, counts: Mapping[str, int], sign: int) -> float:
        """What the distance grows by when these rows come to a part (1) or leave it (-1)."""
        size = sign * sum(counts.values())
        # rows count as much as all labels together: sizes are asked for, proportions wished for
        away = size * (2 * (self.rows[part] - self.sizes[part]) + size) / self.n * len(self.total)
        share, held = self.sizes[part] / self.n, self.held[part]
        for label, n in counts.items():
            total = self.total[label]
            moved = sign * n
            away += moved * (2 * (held[label] - share * total) + moved) / total
        return away

    def move(self, part: str, counts: Mapping[str, int], sign: int) -> None:
        self.rows[part] += sign * sum(counts.values())
        for label, n in counts.items():
            self.held[part][label] += sign * n


def _improve(
    order: Sequence[int],
    counts: Mapping[int, Mapping[str, int]],
    place: dict[int, str],
    table: _Table,
    parts: Sequence[str],
) -> None:
    for _ in range(ROUNDS):
        moved = False
        for one in reversed(order):
            here = place[one]
            leaving = table.change(here, counts[one], -1)
            best = min(
                (part for part in parts if part != here),
                key=lambda part, one=one: table.change(part, counts[one], 1),  # type: ignore[misc]
            )
            if leaving + table.change(best, counts[one], 1) < -1e-9:
                table.move(here, counts[one], -1)
                table.move(best, counts[one], 1)
                place[one], moved = best, True
        if not moved:
            return


def _fill(
    order: Sequence[int],
    counts: Mapping[int, Mapping[str, int]],
    place: dict[int, str],
    table: _Table,
    parts: Sequence[str],
) -> None:
    """A part that got nothing takes the smallest group of the part with most groups."""
    for part in parts:
        if part not in place.values():
            times = Counter(place.values())
            one = next(each for each in reversed(order) if times[place[each]] > 1)
            table.move(place[one], counts[one], -1)
            table.move(part, counts[one], 1)
            place[one] = part


def _rank(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}/{name}".encode("utf-8", "backslashreplace")).hexdigest()
