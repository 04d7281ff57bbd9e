"""What somebody should know about a file of rows before trusting a number that comes out of it."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.data.survey import RARE, Survey
from promptkit.types import Scalar

#: Words of a text from which on an encoder of 256 tokens leaves something out.
LONG = 180
#: Lines that are named where there are many.
NAMED = 5


def obstacles(found: Survey) -> list[str]:
    """What an evaluation will stop at, a sentence each; empty where nothing is in its way."""
    told = []
    if found.no_text:
        told.append(
            f"{_rows(len(found.no_text))} without text ({_where(found, found.no_text)}): fill it "
            "in, or remove them"
        )
    if found.no_label:
        told.append(
            f"{_rows(len(found.no_label))} without a label ({_where(found, found.no_label)}): fill "
            "it in, or move them to another file"
        )
    if found.repeated_ids:
        told.append(
            "the column 'id' does not name each row by a value of its own: mend it, or give the "
            "column another name"
        )
    return told


def remarks(found: Survey) -> list[str]:
    """What to mind, a sentence each; empty where there is nothing."""
    return [*_about_labels(found), *_about_texts(found)]


def _about_labels(found: Survey) -> list[str]:
    told = []
    if found.rare:
        told.append(
            f"fewer than {RARE} rows: {len(found.rare)} of {len(found.labels)} labels "
            f"({_listed(found.rare)}); nothing can be said about how well they are told"
        )
    column = found.of(found.label.column)
    if column.reads_like_text:
        told.append(
            f"column {column.name!r} reads like free text and not like labels "
            f"({column.n_different:,} different values): --label-field says another one"
        )
    for one, other in _alike([label for label, _ in found.labels]):
        told.append(f"the labels {one!r} and {other!r} differ in case or white space only")
    if found.is_numbered:
        told.append(
            "the labels are numbers, which say nothing to a model: say in words what each means "
            "(in the template)"
        )
    most, n = max(found.labels, key=lambda one: one[1])
    total = sum(n for _, n in found.labels)
    if n / total > 0.8:
        told.append(
            f"{100 * n / total:.0f}% of the rows are {most!r}: always saying so is right that "
            "often; look at macro-F1"
        )
    return told


def _about_texts(found: Survey) -> list[str]:
    told = []
    column = found.of(found.text.column)
    if not column.reads_like_text:
        told.append(
            f"column {column.name!r} does not read like free text ({column.mean_words:.1f} words "
            f"on average, {100 * column.share_different:.0f}% different): --text-field says "
            "another one"
        )
    if found.other_texts:
        told.append(
            f"other columns read like text too ({_listed(found.other_texts)}): the template shows "
            f"{column.name!r} alone"
        )
    if found.conflicts:
        first = found.conflicts[0]
        told.append(
            f"the same text with different labels: {len(found.conflicts):,} times, first in "
            f"{_where(found, first.numbers)} ({_listed(list(dict.fromkeys(first.labels)))}); no "
            "model can be right about all of these rows"
        )
    if found.n_copies:
        told.append(
            f"{_rows(found.n_copies)} repeat the text of an earlier row: parted into rows to learn "
            "from and rows to test on, copies make a score too good"
        )
    if found.words[2] > LONG:
        told.append(
            f"the longest text has {found.words[2]:,} words: the in-box encoder reads about {LONG} "
            "and tells of rows that it cut"
        )
    return told


def _alike(labels: Sequence[Scalar]) -> list[tuple[Scalar, Scalar]]:
    seen: dict[str, Scalar] = {}
    found = []
    for label in labels:
        loose = str(label).strip().casefold()
        if loose in seen:
            found.append((seen[loose], label))
        seen.setdefault(loose, label)
    return found


def _where(found: Survey, numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:NAMED]))
    more = f" and {len(numbers) - NAMED:,} more" if len(numbers) > NAMED else ""
    return f"{found.unit}{'s' if len(numbers) > 1 else ''} {shown}{more}"


def _listed(names: Sequence[object]) -> str:
    shown = ", ".join(map(str, names[:NAMED]))
    return shown + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")


def _rows(n: int) -> str:
    return f"{n:,} row" + ("" if n == 1 else "s")
