"""Files in which some rows have a label and others do not yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from promptkit.data import Dataset, columns_of, load, renamed
from promptkit.data.columns import ID, LABEL
from promptkit.data.sources import find
from promptkit.errors import CapabilityError
from promptkit.prompts import Template
from promptkit.runs.columns import load_options, train_split
from promptkit.runs.kinds import need_single_labels
from promptkit.runs.labels import settle_labels
from promptkit.runs.plain import template_for
from promptkit.runs.rows import template_and_columns
from promptkit.runs.spec import EvalSpec
from promptkit.types import Example, Scalar

#: Columns that `promptkit label-next` adds: no part of a row when its file comes back.
ADDED = ("suggested", "probability", "why")
Raw = Mapping[str, Any]


@dataclass(frozen=True)
class PartlyLabelled:
    """Rows of one file or several, and what their labels are.

    Args:
        template: Its labels settled, where they are known.
        files: The rows of each file; labels are the template's own.
        columns: Of the first file, those that were added left out.
        rows: By id, all columns of a row of the first file as it stands there.
        known: Whether there are two labels at least.
        notes: Facts that a reader must know.
    """

    template: Template
    files: tuple[Dataset, ...]
    columns: tuple[str, ...]
    rows: Mapping[str, Raw]
    known: bool
    notes: tuple[str, ...]

    @property
    def labelled(self) -> list[Example]:
        """The rows of all files that have a label."""
        return [row for one in self.files for row in one if has_label(row)]


def has_label(row: Example) -> bool:
    """Whether a label is filled in; a cell of white space is none."""
    return row.label is not None and not (isinstance(row.label, str) and not row.label.strip())


def partly_labelled(
    asked: EvalSpec, source: str, command: str, further: str | None = None
) -> PartlyLabelled:
    """Read a file, and perhaps another with the same columns of text.

    Args:
        asked: How rows are read.
        source: The file.
        command: Who asks, for messages.
        further: Another file.

    Raises:
        DataError: Rows that cannot be used.
        CapabilityError: Rows that do not have one label each, of labels that all share.
    """
    asked = _text_column_named(asked, source)
    template, columns = template_and_columns(asked)
    need_single_labels(template, command)
    if template.choosing or template.writing:
        raise CapabilityError(
            f"{command} is for rows with one label each, and template {template.name!r} has no "
            "labels that all rows share"
        )
    split = asked.split or train_split(source)
    first = _loaded(asked, template, columns, source, split)
    files = [first]
    if further is not None:
        files.append(_loaded(asked, template, columns, further, train_split(further)))
    settled, files, known, notes = _settled(asked, template, files)
    names, raw = _table(source, split)
    added = ADDED if set(ADDED) <= set(names) else ()
    return PartlyLabelled(
        settled,
        tuple(files),
        tuple(name for name in names if name not in added),
        {row.id: own for row, own in zip(first, raw, strict=True)},
        known,
        tuple(notes),
    )


def _text_column_named(asked: EvalSpec, source: str) -> EvalSpec:
    """The same, with the only column that can hold text, those that were added left aside."""
    if asked.template or asked.text_field or asked.fields:
        return asked
    there = columns_of(source, split=asked.split)
    free = [name for name in there if name not in (*ADDED, asked.label_field, asked.id_field)]
    only = free[0] if len(free) == 1 else None
    return asked.model_copy(update={"text_field": only}) if only else asked


def _loaded(
    asked: EvalSpec, template: Template, columns: Mapping[str, str], source: str, split: str | None
) -> Dataset:
    """The rows of a file, labels where there are some; an unlabelled file has no such column."""
    there = _table(source, split)[0]
    options = load_options(asked, template, columns)
    unlabelled = asked.label_field not in there
    if unlabelled:
        options["label_field"] = LABEL
    if source != asked.data and asked.id_field not in there:
        options["id_field"] = ID
    found = load(source, split=split, **{**options, "require_labels": False})
    if not unlabelled:
        return found
    # a column called so by chance, where labels were said to stand in another
    bare = tuple(replace(row, label=None) for row in found)
    return replace(found, examples=bare, labels=None)


def _settled(
    asked: EvalSpec, template: Template, files: list[Dataset]
) -> tuple[Template, list[Dataset], bool, list[str]]:
    """One label set for the rows of all files; False where there are fewer than two labels."""
    if template.open and not asked.labels:
        declared = next((one.labels for one in files if one.labels is not None), None)
        own = [row.label for one in files for row in one if has_label(row)]
        found = _different(own if declared is None else declared, asked.label_map)
        if len(found) < 2:
            return template, files, False, []
        asked = asked.model_copy(update={"labels": list(found)})
    settled, made, notes = template, [], list[str]()
    for one in files:
        places = [place for place, row in enumerate(one) if has_label(row)]
        settled, labelled, _, said = settle_labels(asked, template, one.taking(places), None)
        notes += [note for note in said if note not in notes]
        rest = [row for row in one if not has_label(row)]
        made.append(replace(one, examples=(*labelled, *rest), numbers=(), place=None))
    if asked.template is None:
        settled = template_for(settled.task.labels, settled.task.fields)
    return settled, made, True, notes


def _different(labels: Iterable[Any], label_map: Mapping[str, Scalar]) -> tuple[Scalar, ...]:
    """The different labels, as the map calls them, in order."""
    mapped = {renamed(label, label_map): None for label in labels}
    return tuple(sorted(mapped, key=str))


def _table(source: str, split: str | None) -> tuple[tuple[str, ...], list[Raw]]:
    """All columns that any row has, and the rows as the file has them."""
    found = find(source)
    table = found.splits[found.chosen(split)]()
    rows = [row for _, row in table.rows]
    return table.columns or tuple(dict.fromkeys(str(name) for row in rows for name in row)), rows
