"""All rows of a source, read leniently: what is wrong with one is told, and the next one read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

from promptkit.data.columns import ID, LABEL, Columns
from promptkit.data.guess import label_column, text_column
from promptkit.data.inspection.classes import with_lists
from promptkit.data.inspection.nouns import Finding, OnStep, Row, Spot
from promptkit.data.mapping import renamed
from promptkit.data.place import NumberedRow, Table
from promptkit.data.profile import Profile, profile
from promptkit.data.sources import Source
from promptkit.data.values import is_missing, plain
from promptkit.errors import DataError
from promptkit.row_text import items_of
from promptkit.types import Scalar, Value

#: Rows by which columns are told, where nobody named them.
_LOOKED_AT = 500
_BEFORE, _AFTER = ("train",), ("test",)


@dataclass(frozen=True)
class Roles:
    """Which columns are read, and as what.

    Args:
        texts: The columns of text.
        label: The column of labels, if there is one.
        id: The column of ids; rows need not have it.
        notes: How they were told, where nobody named them.
    """

    texts: tuple[str, ...]
    label: str | None
    id: str
    notes: tuple[str, ...] = ()


@dataclass
class Gathered:
    """What was read.

    Args:
        rows: The rows.
        columns: By split, its columns, and in how many rows each holds something.
        findings: What stopped the reading, and rows without a column.
        declared: Labels that a card or the file itself declares, where one does.
    """

    rows: list[Row] = field(default_factory=list)
    columns: dict[str, Counter[str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    declared: tuple[Scalar, ...] | None = None
    lacking: list[Spot] = field(default_factory=list)


def ordered_splits(names: Sequence[str]) -> list[str]:
    """Train first and test last: a copy is told of where it is measured."""
    first = [name for name in names if name in _BEFORE]
    last = [name for name in names if name in _AFTER]
    return [*first, *(name for name in names if name not in (*first, *last)), *last]


def roles_of(
    found: Source,
    splits: Sequence[str],
    *,
    texts: Sequence[str],
    label_field: str | None,
    id_field: str | None,
) -> Roles:
    """The columns to read: those named, else ``text`` and ``label``, else what looks like these.

    Raises:
        DataError: No column reads like text, or one that was named is not there.
    """
    table, rows, broken = _beginning(found, splits)
    columns = tuple(table.columns or dict.fromkeys(chain.from_iterable(rows)))
    if not columns and broken is not None:
        raise broken
    profiles = [profile(rows, name) for name in columns]
    file, notes = table.place.file, []
    wanted = label_field or found.label_field
    label: str | None = wanted if wanted in columns else None
    if label is None and label_field is not None:
        raise Columns(label=label_field).no_label(file, columns)
    own = list(texts)
    for name in own:
        if name not in columns:
            raise Columns(fields=tuple(own)).no_field(name, file, columns)
    if not own:
        named = "text" if "text" in columns else None
        text = named or text_column([p for p in profiles if p.name != label], None, file).column
        own = [text]
        if named is None:
            notes.append(f"text is read from the column {text!r}: --text-field says another one")
    if label is None:
        label, why = _label_guess(profiles, own, file)
        notes.append(why)
    taken = {*own, label}
    more = [p.name for p in profiles if p.reads_like_text and p.name not in taken]
    if more and not texts:
        listed = ", ".join(map(repr, more[:5]))
        notes.append(f"not looked at: {listed}, which read like text too (--field {more[0]})")
    return Roles(tuple(own), label, id_field or ID, tuple(notes))


def gather(
    found: Source,
    splits: Sequence[str],
    roles: Roles,
    limit: int | None,
    on_step: OnStep,
    label_map: Mapping[str, Any] | None = None,
) -> Gathered:
    """Read the rows of all splits, with labels renamed as ``label_map`` says.

    A file that cannot be read to its end is a finding, and the rows before that place are kept.
    """
    made = Gathered()
    if found.labels is not None and roles.label == found.label_field:
        made.declared = found.labels
    for split in splits:
        made.columns[split] = Counter()
        try:
            _read(split, found, roles, limit, made, on_step)
        except DataError as error:
            made.findings.append(_unreadable(split, error))
    made.rows = with_lists(made.rows)
    if label_map:
        made.rows = [replace(row, label=_renamed(row.label, label_map)) for row in made.rows]
    if made.lacking:
        made.findings.append(_lacking(made.lacking))
    return made


def _read(
    split: str, found: Source, roles: Roles, limit: int | None, made: Gathered, on_step: OnStep
) -> None:
    table = found.splits[split]()
    if made.declared is None:
        made.declared = table.label_names.get(roles.label or LABEL)
    before = len(made.rows)
    rows = table.rows if limit is None else islice(table.rows, limit)
    for number, row in rows:
        _count_columns(row, split, roles, made)
        made.rows.append(row_of(split, table, number, row, roles))
        if len(made.rows) % 1000 == 0:
            on_step("reading", len(made.rows), None)
    if table.columns is not None:
        made.columns[split].update(dict.fromkeys(table.columns, 0))
    if len(made.rows) == before:
        made.findings.append(_no_rows(split, table.place.file))


def _beginning(
    found: Source, splits: Sequence[str]
) -> tuple[Table, list[Mapping[str, Any]], DataError | None]:
    """The first rows of the first split that has any, as far as they can be read."""
    broken: DataError | None = None
    first: Table | None = None
    for split in splits:
        rows: list[Mapping[str, Any]] = []
        try:
            table = found.splits[split]()
            first = first or table
            for row in _plain_rows(islice(table.rows, _LOOKED_AT)):
                rows.append(row)
        except DataError as error:
            broken = broken or error
        if rows:
            return table, rows, broken
    if first is None:
        assert broken is not None  # some split is looked at, and it either opens or says why not
        raise broken
    return first, [], broken


def _plain_rows(rows: Iterable[NumberedRow]) -> Iterator[Mapping[str, Any]]:
    for _, row in rows:
        yield {str(name): _json(value) for name, value in row.items()}


def _json(value: Any) -> Any:
    """A JSON value; what JSON has no word for is told by its kind, as its content is no text."""
    try:
        return plain(value)
    except TypeError as error:
        return f"<{error}>"


def _label_guess(
    profiles: Sequence[Profile], texts: Sequence[str], file: str
) -> tuple[str | None, str]:
    """The column of labels, if one can be told, and a note that says so or why not."""
    free = [one for one in profiles if one.name not in texts]
    try:
        found = label_column(free, None, texts[0], file).column
    except DataError as error:
        return None, f"no labels are looked at: {str(error).removeprefix(f'{file}: ')}"
    return found, f"labels are read from the column {found!r}: --label-field says another one"


def row_of(split: str, table: Table, number: int, row: Mapping[str, Any], roles: Roles) -> Row:
    """A row as far as it is looked at."""
    file, unit, own = table.place.of(number)
    label = row.get(roles.label) if roles.label is not None else None
    identity = row.get(roles.id)
    return Row(
        split,
        file,
        unit,
        own,
        None if is_missing(identity) else str(identity),
        tuple([_text(row.get(name)) for name in roles.texts]),
        label if type(label) is str else _label(label),
    )


def _count_columns(row: Mapping[str, Any], split: str, roles: Roles, made: Gathered) -> None:
    filled = made.columns[split]
    for name, value in row.items():
        filled[name] += value is not None and value != ""
    missing = [name for name in roles.texts if name not in row]
    if missing:
        made.lacking.append(Spot(len(made.rows), f"lacks {', '.join(map(repr, missing))}"))


def _text(value: Any) -> str:
    return value if type(value) is str else "\n".join(items_of(_json(value)))


def _label(value: Any) -> Value | None:
    value = _json(value)
    if isinstance(value, list):
        return tuple(one if isinstance(one, str | int | float) else str(one) for one in value)
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _renamed(label: Value | None, names: Mapping[str, Any]) -> Value | None:
    if isinstance(label, tuple):
        return tuple(renamed(part, names) for part in label)
    return None if label is None else renamed(label, names)


def _unreadable(split: str, error: DataError) -> Finding:
    return Finding(
        "unreadable",
        "a file that cannot be read to its end",
        "breaks",
        "mend it and check again: rows after that place were not looked at",
        note=str(error),
    )


def _no_rows(split: str, file: str) -> Finding:
    return Finding(
        "no-rows", "no rows", "breaks", "remove the file, or fill it", note=f"{split}: {file}"
    )


def _lacking(spots: list[Spot]) -> Finding:
    return Finding(
        "no-column",
        "rows without a column of text",
        "breaks",
        "give all rows the column, or name another with --text-field",
        tuple(spots),
    )


def by_split(rows: Sequence[Row], spots: Sequence[Spot]) -> str:
    """Such as ``train 12, test 3``, where there are several splits."""
    counted = Counter(rows[spot.row].split for spot in spots)
    every = dict.fromkeys(row.split for row in rows)
    if len(every) < 2:
        return ""
    return ", ".join(f"{split} {counted[split]:,}" for split in every if counted[split])


def located(finding: Finding, rows: Sequence[Row]) -> Finding:
    """The finding with its rows by split in front of its note."""
    told = by_split(rows, finding.spots)
    parts = [part for part in (told, finding.note) if part]
    return replace(finding, note="; ".join(parts))
