"""Which row goes into which part, and what that means for the parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from promptkit.data.ids import Ids
from promptkit.data.inspection.copies import copies, keys_of
from promptkit.data.inspection.gather import located
from promptkit.data.inspection.nouns import Finding, Row
from promptkit.data.parting.groups import Joined, deal
from promptkit.data.parting.sizes import LEFT_OUT, PARTS, target_sizes
from promptkit.data.parting.strata import strata
from promptkit.data.parting.times import deal_by_time, shown, times_of
from promptkit.data.place import Place
from promptkit.data.splits import split
from promptkit.data.values import is_missing
from promptkit.errors import DataError, SpecError
from promptkit.types import Example, Value


@dataclass(frozen=True)
class PartOptions:
    """How rows are split.

    Args:
        fractions: Shares of train, validation and test (or of train and test); None with ``sizes``.
        sizes: Rows of some parts; train gets the rest unless it is among them.
        seed: Another seed, another split.
        group_field: A column whose rows of one value stay together.
        time_field: A column by which the newest rows become the test.
        together: Whether texts that are the same but for case, space or punctuation, or nearly the
            same, stay together.
        near: From which similarity on two texts are nearly the same.
    """

    fractions: tuple[float, ...] | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0
    group_field: str | None = None
    time_field: str | None = None
    together: bool = False
    near: float = 0.8


@dataclass(frozen=True)
class Parted:
    """Rows with their parts.

    Args:
        parts: (n,) the part of each row; "" for rows that are left out.
        rows: The rows as far as they were looked at.
        spans: By part, its first and last time, where rows were split by time.
        n_groups: Groups that were kept together; 0 where rows went one by one.
        wanted: Rows that each part should have.
        leaks: What a check of the parts would find across them.
        notes: Which columns were read, where nobody named them.
    """

    parts: tuple[str, ...]
    rows: tuple[Row, ...]
    spans: Mapping[str, tuple[str, str]]
    n_groups: int
    wanted: Mapping[str, int]
    leaks: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    def counts(self) -> dict[str, dict[Value | None, int]]:
        """By part, rows of each label."""
        found: dict[str, dict[Value | None, int]] = {
            part: {} for part in PARTS if part in self.parts
        }
        for name, row in zip(self.parts, self.rows, strict=True):
            if name != LEFT_OUT:
                found[name][row.label] = found[name].get(row.label, 0) + 1
        return found


def part(
    rows: Sequence[Row],
    raw: Sequence[Mapping[str, Any]],
    options: PartOptions,
    *,
    id_field: str = "id",
    label_field: str | None = None,
) -> Parted:
    """Split rows.

    Args:
        rows: The rows, their texts and labels read.
        raw: The same rows with all their columns.
        options: How.
        id_field: The column of ids, used where there is one.
        label_field: The column of labels, which an id does not hang on.

    Raises:
        SpecError: Options that do not go together, or sizes that cannot be.
        DataError: A row without id, group or time where others have one; too few groups or times.
    """
    _check(options)
    sizes = target_sizes(len(rows), options.fractions, options.sizes)
    ids = _ids(rows, raw, id_field, label_field)
    groups = strata([row.label for row in rows])
    spans: dict[str, tuple[str, str]] = {}
    n_groups = 0
    if options.time_field is not None:
        values = _column(rows, raw, options.time_field, "--time-field")
        times = times_of(values, [row.where for row in rows], options.time_field)
        parts, found = deal_by_time(times, sizes)
        spans = {name: (shown(first), shown(last)) for name, (first, last) in found.items()}
    elif options.group_field is not None or options.together:
        joined = _joined(rows, raw, options)
        n_groups = len({joined.first(at) for at in range(len(rows))})
        parts = deal(joined, groups, ids, sizes, options.seed)
    else:
        parts = _drawn(ids, groups, sizes, options.seed)
    return Parted(
        tuple(parts), tuple(rows), spans, n_groups, dict(sizes), tuple(_leaks(rows, parts))
    )


def _check(options: PartOptions) -> None:
    if options.time_field is None:
        return
    for name, given in (("--group-field", options.group_field is not None),
                        ("--keep-duplicates-together", options.together)):  # fmt: skip
        if given:
            raise SpecError(
                f"--time-field and {name}: a group may have rows of any time; give one of them"
            )


def _ids(
    rows: Sequence[Row], raw: Sequence[Mapping[str, Any]], id_field: str, label_field: str | None
) -> list[str]:
    """The rows' own ids, or names made of what they say; see `promptkit.data.ids`."""
    made = Ids(id_field, _At("the rows", "row", rows))
    found = []
    for place, own in enumerate(raw):
        fields = {
            name: _said(value) for name, value in own.items() if name not in (id_field, label_field)
        }
        found.append(made.of(place, own, fields))
    return found


@dataclass(frozen=True)
class _At(Place):
    """Places of rows by their numbers among all rows."""

    rows: Sequence[Row] = ()

    def at(self, number: int) -> str:
        return self.rows[number].where

    def near(self, number: int) -> str:
        return self.rows[number].where


def _said(value: Any) -> Any:
    return value if isinstance(value, str | int | bool) or value is None else str(value)


def _column(
    rows: Sequence[Row], raw: Sequence[Mapping[str, Any]], name: str, flag: str
) -> list[Any]:
    values = []
    for row, own in zip(rows, raw, strict=True):
        value = own.get(name)
        if is_missing(value) or (isinstance(value, str) and not value.strip()):
            there = "" if name in own else f"; it has {', '.join(map(str, own))}"
            raise DataError(f"{row.where}: nothing in the column {name!r} of {flag}{there}")
        values.append(value)
    return values


def _joined(rows: Sequence[Row], raw: Sequence[Mapping[str, Any]], options: PartOptions) -> Joined:
    joined = Joined(len(rows))
    if options.group_field is not None:
        values = _column(rows, raw, options.group_field, "--group-field")
        joined.join_alike([repr(value) for value in values])
    if options.together:
        from promptkit.data.inspection.near import near_pairs

        keys = keys_of(rows).bare
        joined.join_alike(keys)
        first: dict[str, int] = {}
        for at, key in enumerate(keys):
            first.setdefault(key, at)
        places = list(first.values())
        for pair in near_pairs(list(first), options.near, seed=options.seed):
            joined.join(places[pair.text], places[pair.other])
    return joined


def _drawn(
    ids: Sequence[str], strata: Sequence[str], sizes: Mapping[str, int], seed: int
) -> list[str]:
    """Rows one by one, the smaller parts first: what is left over at the end is the first part."""
    rest = [Example(name, {}, stratum) for name, stratum in zip(ids, strata, strict=True)]
    names = list(sizes)
    parts: dict[str, str] = {}
    for name in names[:0:-1]:
        taken, rest = split(rest, sizes[name] / len(rest), seed)
        parts.update((row.id, name) for row in taken)
    parts.update((row.id, names[0]) for row in rest)
    return [parts[name] for name in ids]


def _leaks(rows: Sequence[Row], parts: Sequence[str]) -> list[Finding]:
    """Copies across the parts, as a check of them would tell."""
    if not rows or not rows[0].texts:
        return []
    ranked = sorted(
        (Row(name, row.file, row.unit, row.number, row.id, row.texts, row.label)
         for name, row in zip(parts, rows, strict=True) if name != LEFT_OUT),
        key=lambda row: PARTS.index(row.split),
    )  # fmt: skip
    found = copies(ranked, keys_of(ranked))
    return [located(one, ranked) for one in found if one.kind.startswith("leak")]
