"""Texts that stand in several rows: copies, leaks between splits, and several labels of one text.

Three degrees: the same characters; the same but for Unicode form, case and white space; the same
but for punctuation besides. Near-duplicates are a matter of their own (`near`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex

from promptkit.data.inspection.nouns import Finding, Row, Spot
from promptkit.row_text import folded
from promptkit.types import label_key

_BETWEEN = "\x1f"
_PUNCTUATION = regex.compile(r"\p{P}+")

LEAK_STEP = "remove these rows from one of the splits (promptkit data split keeps copies together)"
COPY_STEP = "remove all but one; before a split, at least keep copies together"


@dataclass(frozen=True)
class Keys:
    """What rows share with their copies; "" where a row says nothing.

    Args:
        exact: The same characters.
        loose: The same but for Unicode form, case and white space.
        bare: The same but for punctuation besides.
    """

    exact: list[str]
    loose: list[str]
    bare: list[str]


def keys_of(rows: Sequence[Row]) -> Keys:
    """The keys of all rows."""
    exact = [_BETWEEN.join(row.texts) if any(map(str.strip, row.texts)) else "" for row in rows]
    loose, bare = [], []
    for row, own in zip(rows, exact, strict=True):
        texts = [folded(text) for text in row.texts] if own else [""]
        loose.append(_BETWEEN.join(texts))
        bare.append(_BETWEEN.join(map(_bare, texts)))
    return Keys(exact, loose, bare)


def bare_text(text: str) -> str:
    """The text in the form in which only words and signs tell texts apart.

    >>> bare_text("It's GREAT!!"), bare_text("?!")
    ('it s great', '?!')
    """
    return _bare(folded(text))


def _bare(text: str) -> str:
    # What is punctuation alone, such as ":)", would else be nothing, and ":)" a copy of ":(".
    return " ".join(_PUNCTUATION.sub(" ", text).split()) or text


def copies(rows: Sequence[Row], keys: Keys) -> Iterator[Finding]:
    """Leaks first, then copies in one split, then labels that contradict each other.

    A row is counted once: as the surest kind of copy that it is.
    """
    leaks, own = _sorted_out(rows, (keys.exact, keys.loose, keys.bare))
    if leaks[0]:
        yield Finding(
            "leak", "texts that stand in an earlier split too", "misleads", LEAK_STEP,
            tuple(leaks[0]),
        )  # fmt: skip
    if leaks[1]:
        yield Finding(
            "leak-folded",
            "texts of an earlier split, but for case, space or punctuation",
            "misleads",
            LEAK_STEP,
            tuple(leaks[1]),
            contradicting(rows, leaks[1]),
        )
    yield from _contradictions(rows, keys)
    if own[0]:
        yield Finding(
            "copy", "texts that stand in an earlier row of the split", "look", COPY_STEP,
            tuple(own[0]),
        )  # fmt: skip
    if own[1]:
        yield Finding(
            "copy-folded",
            "texts of an earlier row, but for case, space or punctuation",
            "look",
            COPY_STEP,
            tuple(own[1]),
            contradicting(rows, own[1]),
        )


def _sorted_out(
    rows: Sequence[Row], degrees: Sequence[Sequence[str]]
) -> tuple[tuple[list[Spot], list[Spot]], tuple[list[Spot], list[Spot]]]:
    """Spots of leaks and of copies in one split, each by exact and folded."""
    first: list[dict[str, int]] = [{} for _ in degrees]
    in_split: list[dict[tuple[str, str], int]] = [{} for _ in degrees]
    leaks: tuple[list[Spot], list[Spot]] = ([], [])
    own: tuple[list[Spot], list[Spot]] = ([], [])
    for place, row in enumerate(rows):
        known = [keys[place] for keys in degrees]
        if not known[0]:
            continue
        # rows come split after split: a text's first row is in the earliest split that has it
        across = [seen.setdefault(key, place) for seen, key in zip(first, known, strict=True)]
        within = [
            seen.setdefault((row.split, key), place)
            for seen, key in zip(in_split, known, strict=True)
        ]
        for degree, other in enumerate(across):
            if rows[other].split != row.split:
                leaks[degree > 0].append(Spot(place, f"as in {rows[other].where}", other))
                break
        for degree, other in enumerate(within):
            if other != place:
                own[degree > 0].append(Spot(place, f"as in {rows[other].where}", other))
                break
    return leaks, own


def _contradictions(rows: Sequence[Row], keys: Keys) -> Iterator[Finding]:
    by_text: dict[str, list[int]] = {}
    for place, key in enumerate(keys.loose):
        if key and rows[place].label is not None:
            by_text.setdefault(key, []).append(place)
    spots = []
    n = 0
    for places in by_text.values():
        labels = {label_key(rows[place].label): rows[place].label for place in places}
        if len(labels) < 2:
            continue
        n += 1
        for place in places:
            own = label_key(rows[place].label)
            other = next(one for one in places if label_key(rows[one].label) != own)
            note = f"{rows[other].label!r} in {rows[other].where}"
            spots.append(Spot(place, note, other))
    if spots:
        yield Finding(
            "several-labels",
            "one text with several labels",
            "misleads",
            "settle on one label a text, or remove them: no model can be right about all",
            tuple(spots),
            f"{n:,} text{'' if n == 1 else 's'}",
        )


def contradicting(rows: Sequence[Row], spots: Sequence[Spot]) -> str:
    """How many rows have another label than the row that they are like, in words."""
    n = sum(
        label_key(rows[spot.row].label) != label_key(rows[spot.other].label)
        for spot in spots
        if spot.other is not None
    )
    return f"{n:,} with another label" if n else ""
