"""Ids and columns: repeated, missing, or other ones in another split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from promptkit.data.inspection.nouns import Finding, Row, Spot


def ids(rows: Sequence[Row]) -> Iterator[Finding]:
    """Ids that are missing where others have one, or stand twice."""
    having = {row.split for row in rows if row.id is not None}
    missing, repeated, across = [], [], []
    first: dict[tuple[str, str], int] = {}
    anywhere: dict[str, int] = {}
    for place, row in enumerate(rows):
        if row.id is None or not row.id.strip():
            if row.split in having:
                missing.append(Spot(place, "no id"))
            continue
        known = first.setdefault((row.split, row.id), place)
        other = anywhere.setdefault(row.id, place)
        if known != place:
            repeated.append(Spot(place, f"id {row.id!r} as in {rows[known].where}", known))
        elif rows[other].split != row.split:
            across.append(Spot(place, f"id {row.id!r} as in {rows[other].where}", other))
    if missing:
        yield Finding(
            "no-id", "rows without an id, where others have one", "breaks",
            "give every row one, or none (--id-field names another column)", tuple(missing),
        )  # fmt: skip
    if repeated:
        yield Finding(
            "repeated-id", "ids that stand twice", "breaks",
            "give each row its own, or rename the column: --id-field names another",
            tuple(repeated),
        )  # fmt: skip
    if across:
        yield Finding(
            "id-across", "ids that stand in several splits", "look",
            "are they the same rows? then they leak from one split to the other", tuple(across),
        )  # fmt: skip


def columns(filled: Mapping[str, Counter[str]], rows: Sequence[Row]) -> Iterator[Finding]:
    """Columns that a split lacks, and columns that hold nothing."""
    by_split = {split: set(own) for split, own in filled.items() if own}
    every = set().union(*by_split.values()) if by_split else set()
    told = [
        f"{split} lacks {', '.join(map(repr, sorted(every - own)))}"
        for split, own in by_split.items()
        if every - own
    ]
    if told:
        yield Finding(
            "columns-differ", "splits that do not have the same columns", "look",
            "a template that reads one of these columns stops at the split without it",
            note="; ".join(told),
        )  # fmt: skip
    n = {split: sum(row.split == split for row in rows) for split in by_split}
    nothing = [
        f"{name!r} of {split}"
        for split, own in by_split.items()
        for name in sorted(own)
        if n[split] and not filled[split][name]
    ]
    if nothing:
        yield Finding(
            "empty-columns", "columns that hold nothing", "look",
            "remove them, or look why", note=", ".join(nothing),
        )  # fmt: skip
