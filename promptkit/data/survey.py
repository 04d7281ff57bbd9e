"""A file of rows, looked over before anything is done with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from promptkit.data.guess import Choice, id_column, label_column, text_column
from promptkit.data.patterns import is_pattern
from promptkit.data.profile import Profile, is_blank, is_number, profile, rows_of
from promptkit.data.readers import read_file
from promptkit.errors import DataError
from promptkit.types import Scalar, label_key

#: A label in fewer rows than these is told: neither learned from nor measured well.
RARE = 5


@dataclass(frozen=True)
class Conflict:
    """A text that stands in several rows with different labels.

    Args:
        text: The text.
        labels: Its labels in the order of the rows.
        numbers: Their lines or rows.
    """

    text: str
    labels: tuple[Scalar, ...]
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Survey:
    """What a file holds.

    Args:
        path: The file.
        unit: What rows are counted in: ``line`` or ``row``.
        n: Rows.
        profiles: Its columns.
        text: The column of text, and why.
        label: The column of labels, and why.
        id: The column that names rows, if there is one.
        labels: Rows of each label; numbers in their order, others by name.
        no_text: Lines or rows whose text is empty.
        no_label: Lines or rows without a label.
        n_copies: Rows whose text stood in an earlier row.
        conflicts: Texts with several labels.
        words: Words of a text: median, 95th percentile, most.
        repeated_ids: Whether the column ``id`` holds a value twice or not at all.
    """

    path: Path
    unit: str
    n: int
    profiles: tuple[Profile, ...]
    text: Choice
    label: Choice
    id: Choice | None
    labels: tuple[tuple[Scalar, int], ...]
    no_text: tuple[int, ...] = ()
    no_label: tuple[int, ...] = ()
    n_copies: int = 0
    conflicts: tuple[Conflict, ...] = ()
    words: tuple[int, int, int] = (0, 0, 0)
    repeated_ids: bool = False

    @property
    def rare(self) -> list[Scalar]:
        """Labels of fewer than five rows."""
        return [label for label, n in self.labels if n < RARE]

    @property
    def other_texts(self) -> list[str]:
        """Further columns that read like text."""
        taken = (self.text.column, self.label.column)
        return [one.name for one in self.profiles if one.reads_like_text and one.name not in taken]

    @property
    def is_numbered(self) -> bool:
        """Whether all labels are numbers, which say nothing to a model."""
        return all(is_number(label) for label, _ in self.labels)

    def of(self, column: str) -> Profile:
        """What one column holds."""
        return next(one for one in self.profiles if one.name == column)


@dataclass
class _Seen:
    """What is gathered row by row."""

    counts: dict[tuple[str, object], int] = field(default_factory=dict)
    labels: dict[tuple[str, object], Scalar] = field(default_factory=dict)
    by_text: dict[str, list[tuple[int, Scalar | None]]] = field(default_factory=dict)
    no_text: list[int] = field(default_factory=list)
    no_label: list[int] = field(default_factory=list)


def survey(
    source: str | Path, *, text_field: str | None = None, label_field: str | None = None
) -> Survey:
    """Look a file over.

    Args:
        source: A csv, tsv, jsonl, ndjson, json or parquet file.
        text_field: The column of text; found by what columns are called and hold by default.
        label_field: The column of labels; likewise.

    Raises:
        DataError: The file cannot be read, a column cannot be told, or there are not two labels.
    """
    path = Path(source).expanduser()
    if path.is_dir() or str(source).startswith("hf:") or is_pattern(str(source)):
        raise DataError(f"{source}: is not one file; give one file of rows, such as rows.csv")
    table = read_file(path, str(source))
    numbered, columns = rows_of(table)
    rows = [row for _, row in numbered]
    profiles = tuple(profile(rows, name) for name in columns)
    text = text_column(profiles, text_field, str(source))
    label = label_column(profiles, label_field, text.column, str(source))
    seen = _walked(numbered, text.column, label.column)
    own = next((one for one in profiles if one.name == "id"), None)
    taken = (text.column, label.column)
    return Survey(
        path=path,
        unit=table.place.unit,
        n=len(rows),
        profiles=profiles,
        text=text,
        label=label,
        id=id_column(profiles, taken),
        labels=_sorted([(seen.labels[key], n) for key, n in seen.counts.items()], str(source)),
        no_text=tuple(seen.no_text),
        no_label=tuple(seen.no_label),
        n_copies=sum(len(found) - 1 for found in seen.by_text.values()),
        conflicts=_conflicts(seen.by_text),
        words=_lengths(list(seen.by_text)),
        repeated_ids=own is not None and own.name not in taken and _repeats(own),
    )


def _walked(numbered: Sequence[tuple[int, Mapping[str, Any]]], text: str, label: str) -> _Seen:
    seen = _Seen()
    for number, row in numbered:
        said, gold = row.get(text), row.get(label)
        blank = is_blank(gold)
        if gold is None or blank:
            seen.no_label.append(number)
        else:
            key = label_key(gold)
            seen.labels.setdefault(key, gold)
            seen.counts[key] = seen.counts.get(key, 0) + 1
        if is_blank(said):
            seen.no_text.append(number)
        else:
            seen.by_text.setdefault(str(said), []).append((number, None if blank else gold))
    return seen


def _sorted(counted: list[tuple[Scalar, int]], file: str) -> tuple[tuple[Scalar, int], ...]:
    """Numbers in their order, other labels by name.

    Raises:
        DataError: Fewer than two labels, or two that are written alike.
    """
    if len(counted) < 2:
        only = f"only {counted[0][0]!r}" if counted else "none"
        raise DataError(f"{file}: two labels are needed, and there is {only}; see --label-field")
    name, times = Counter(str(label) for label, _ in counted).most_common(1)[0]
    if times > 1:
        raise DataError(
            f"{file}: the label {name} stands there as a text and as something else; write it "
            "alike in all rows"
        )
    if all(is_number(label) for label, _ in counted):
        return tuple(sorted(counted, key=lambda one: float(one[0])))
    return tuple(sorted(counted, key=lambda one: str(one[0])))


def _conflicts(
    by_text: Mapping[str, list[tuple[int, Scalar | None]]],
) -> tuple[Conflict, ...]:
    found = []
    for text, rows in by_text.items():
        labelled = [(number, label) for number, label in rows if label is not None]
        if len({label_key(label) for _, label in labelled}) > 1:
            numbers, labels = zip(*labelled, strict=True)
            found.append(Conflict(text, labels, numbers))
    return tuple(found)


def _lengths(texts: Sequence[str]) -> tuple[int, int, int]:
    lengths = sorted(len(text.split()) for text in texts)
    if not lengths:
        return 0, 0, 0
    return round(median(lengths)), lengths[int(0.95 * (len(lengths) - 1))], lengths[-1]


def _repeats(own: Profile) -> bool:
    return own.n_filled < own.n or own.n_different < own.n
