"""Labels: missing, rare, lopsided, in one split alone, or two names of one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from unicodedata import normalize

from promptkit.data.inspection.nouns import Finding, Row, Spot
from promptkit.data.profile import is_number
from promptkit.data.survey import RARE
from promptkit.row_text import folded
from promptkit.types import Scalar, Value, label_key

#: Share of the rows from which on one label makes accuracy say little.
LOPSIDED = 0.8
#: Different numbers from which on labels are taken for ratings, of which each may be rare.
RATINGS = 20
#: Rows from which on their order says something.
ORDERED = 20
_NAMED = 6


def parts_of(label: Value | None) -> tuple[Scalar, ...]:
    """The labels of a row, of which a task with several has any number.

    A list in a CSV file is JSON text.
    """
    if label is None:
        return ()
    if isinstance(label, tuple):
        return label
    if isinstance(label, str) and label.startswith("[") and label.endswith("]"):
        try:
            found = json.loads(label)
        except ValueError:
            return (label,)
        if all(isinstance(one, str | int | float) for one in found):
            return tuple(found)
    return (label,)


def with_lists(rows: Sequence[Row]) -> list[Row]:
    """The rows, ``price; delivery`` in one cell read as two labels where it is meant so.

    It is where that leaves fewer labels than the cells are: of "a", "b" and "a;b" two remain, and
    of "fish; chips" beside "pizza" three would.
    """
    cells = {row.label for row in rows if isinstance(row.label, str)}
    parts = {cell: _cell_parts(cell) for cell in cells}
    several = any(len(own) > 1 for own in parts.values())
    if not several or len({one for own in parts.values() for one in own}) >= len(cells):
        return list(rows)
    return [
        replace(row, label=parts[row.label] if row.label.strip() else row.label)
        if isinstance(row.label, str)
        else row
        for row in rows
    ]


def _cell_parts(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";") if part.strip())


def classes(
    rows: Sequence[Row], splits: Sequence[str], declared: Sequence[Scalar] | None
) -> Iterator[Finding]:
    """What is the matter with the labels; nothing where no row has one."""
    places: dict[tuple[str, object], list[int]] = {}
    names: dict[tuple[str, object], Scalar] = {}
    without = []
    for place, row in enumerate(rows):
        if row.label is None or (isinstance(row.label, str) and not row.label.strip()):
            without.append(Spot(place, "no label" if row.label is None else "an empty label"))
            continue
        for one in parts_of(row.label):
            key = label_key(one)
            names.setdefault(key, one)
            places.setdefault(key, []).append(place)
    if not places:
        return
    if without:
        yield Finding(
            "no-label", "rows without a label", "breaks",
            "fill it in, or move the rows to another file", tuple(without),
        )  # fmt: skip
    yield from _alike(names, places)
    if declared is not None:
        yield from _undeclared(names, places, declared)
    numbers = all(map(is_number, names.values()))
    if numbers and len(names) > RATINGS:
        return
    if len(names) > max(RATINGS, len(rows) / 2):
        yield Finding(
            "labels-like-text", "labels that are almost all different", "look",
            "is it the column of labels? --label-field names another",
            note=f"{len(names):,} in {len(rows):,} rows",
        )  # fmt: skip
        return
    yield from _in_order(rows)
    yield from _in_one_split(rows, splits, names, places)
    yield from _sizes(rows, names, places)


def _alike(
    names: Mapping[tuple[str, object], Scalar], places: Mapping[tuple[str, object], list[int]]
) -> Iterator[Finding]:
    groups: dict[str, list[tuple[str, object]]] = {}
    for key, name in names.items():
        groups.setdefault(folded(str(name)), []).append(key)
    spots, told = [], []
    for keys in groups.values():
        if len(keys) < 2:
            continue
        often = sorted(keys, key=lambda key: -len(places[key]))
        told.append(" / ".join(f"{names[key]!r} ({len(places[key]):,})" for key in often))
        how = _difference([names[key] for key in often])
        for key in often[1:]:
            note = f"{names[key]!r} beside {names[often[0]]!r}: {how}"
            spots += [Spot(place, note, places[often[0]][0]) for place in places[key]]
    if spots:
        yield Finding(
            "labels-alike",
            "labels that differ in case, space or Unicode form only",
            "misleads",
            "write each label one way: --label-map 'Positive=positive' does it for a run",
            tuple(sorted(spots, key=lambda spot: spot.row)),
            _listed(told),
        )


def _difference(names: Sequence[Scalar]) -> str:
    if len({type(name) for name in names}) > 1:
        return "one is no text"
    texts = [str(name) for name in names]
    forms: list[tuple[str, Callable[[str], str]]] = [
        ("Unicode form", lambda text: normalize("NFKC", text)),
        ("space", lambda text: " ".join(text.split())),
        ("case", str.casefold),
    ]
    # more than one of them where none alone makes two names the same
    told = [name for name, form in forms if len(set(map(form, texts))) < len(texts)]
    return told[0] if told else "case, space or Unicode form"


def _undeclared(
    names: Mapping[tuple[str, object], Scalar],
    places: Mapping[tuple[str, object], list[int]],
    declared: Sequence[Scalar],
) -> Iterator[Finding]:
    known = {folded(str(label)) for label in declared}
    strange = [key for key, name in names.items() if folded(str(name)) not in known]
    if strange:
        spots = [Spot(at, f"label {names[key]!r}") for key in strange for at in places[key]]
        yield Finding(
            "undeclared",
            "labels that the data set does not declare",
            "breaks",
            "add them to card.json, or say what they stand for with --label-map",
            tuple(spots),
            _listed([repr(names[key]) for key in strange]),
        )


def _in_order(rows: Sequence[Row]) -> Iterator[Finding]:
    """Splits whose rows stand label after label, so that their first rows have few labels."""
    by_split: dict[str, list[tuple[str, object]]] = {}
    for row in rows:
        if row.label is not None:
            by_split.setdefault(row.split, []).append(label_key(row.label))
    told = []
    for split, keys in by_split.items():
        n = len(keys)
        changes = sum(one != other for one, other in pairwise(keys))
        # neighbours of rows in any order differ as often as two drawn rows do
        by_chance = n - sum(times * times for times in Counter(keys).values()) / max(n, 1)
        if n >= ORDERED and changes < by_chance / 5:
            told.append(split)
    if told:
        yield Finding(
            "in-order", "rows that stand in the order of their labels", "look",
            "shuffle them before the first rows are taken, as --limit does", note=", ".join(told),
        )  # fmt: skip


def _in_one_split(
    rows: Sequence[Row],
    splits: Sequence[str],
    names: Mapping[tuple[str, object], Scalar],
    places: Mapping[tuple[str, object], list[int]],
) -> Iterator[Finding]:
    labelled = {row.split for row in rows if row.label is not None}
    present = [split for split in splits if split in labelled]
    if len(present) < 2 or "train" not in present:
        return
    unseen, unmeasured = [], []
    for key, own in places.items():
        there = {rows[place].split for place in own}
        if "train" not in there:
            unseen += [(key, place) for place in own]
        elif there == {"train"}:
            unmeasured.append(key)
    if unseen:
        keys = dict.fromkeys(key for key, _ in unseen)
        yield Finding(
            "label-not-in-train",
            "labels that no training row has",
            "misleads",
            "split anew (promptkit data split), or add training rows: they cannot be learned",
            tuple(Spot(place, f"label {names[key]!r}") for key, place in unseen),
            _listed([repr(names[key]) for key in keys]),
        )
    if unmeasured:
        yield Finding(
            "label-only-in-train",
            "labels that are in train alone",
            "look",
            "split anew: nothing can be said about how well they are told",
            tuple(Spot(at, f"label {names[key]!r}") for key in unmeasured for at in places[key]),
            _listed([repr(names[key]) for key in unmeasured]),
        )


def _sizes(
    rows: Sequence[Row],
    names: Mapping[tuple[str, object], Scalar],
    places: Mapping[tuple[str, object], list[int]],
) -> Iterator[Finding]:
    most = max(places, key=lambda key: len(places[key]))
    n = sum(row.label is not None for row in rows)
    share = len(places[most]) / n
    if len(places) == 1:
        yield Finding(
            "one-label", "all rows have one label", "breaks",
            "two are needed; is it the right column? --label-field names another",
            note=repr(names[most]),
        )  # fmt: skip
    elif share > LOPSIDED:
        yield Finding(
            "lopsided",
            "one label has most of the rows",
            "misleads",
            "look at macro-F1: always saying so is right that often",
            note=f"{share:.0%} are {names[most]!r}",
        )
    rare = [key for key, own in places.items() if len(own) < RARE]
    if rare:
        yield Finding(
            "rare-label",
            f"labels of fewer than {RARE} rows",
            "look",
            "label more rows of them (promptkit label-next), or merge them",
            tuple(Spot(at, f"label {names[key]!r}") for key in rare for at in places[key]),
            f"{len(rare):,} of {len(places):,} labels: {_listed([repr(names[k]) for k in rare])}",
        )


def _listed(told: Sequence[str]) -> str:
    more = f" and {len(told) - _NAMED:,} more" if len(told) > _NAMED else ""
    return ", ".join(told[:_NAMED]) + more
