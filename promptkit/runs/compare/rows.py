"""The rows of a comparison: labelled rows, held-out rows, one label set, a template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptkit.data import Dataset, from_records, load, train_split_of
from promptkit.errors import DataError, SpecError
from promptkit.prompts import Template, find_template
from promptkit.prompts.imported import ImportedTemplate
from promptkit.runs.columns import load_options
from promptkit.runs.compare.spec import CompareSpec
from promptkit.runs.imported_rows import in_terms
from promptkit.runs.kinds import STRUCTURED
from promptkit.runs.labels import settle_labels
from promptkit.runs.plain import plain_template, template_for
from promptkit.runs.spec import EvalSpec
from promptkit.selectors.copies import copy_key
from promptkit.types import Example, Scalar, label_key


@dataclass(frozen=True)
class Rows:
    """Checked rows.

    Args:
        name: What tables call the data.
        labelled: Rows to adapt with.
        held: Test rows; empty where there are none and the labelled rows are cross-validated.
        labels: The label set in order.
        template: How prompts are put.
        origin: Where the rows came from.
        hash: Sixteen digits that name their content.
        notes: What was left out, and other facts a reader must know.
    """

    name: str
    labelled: tuple[Example, ...]
    held: tuple[Example, ...]
    labels: tuple[Scalar, ...]
    template: Template
    origin: str
    hash: str
    notes: tuple[str, ...] = ()

    @property
    def examples(self) -> tuple[Example, ...]:
        """Labelled rows, then test rows."""
        return self.labelled + self.held

    def golds(self) -> tuple[int, ...]:
        """The place of each row's label."""
        places = {label_key(label): place for place, label in enumerate(self.labels)}
        return tuple(places[label_key(row.label)] for row in self.examples)


def rows_of(asked: CompareSpec) -> Rows:
    """Load and check.

    Raises:
        DataError: Rows that cannot be used, fewer than two labels, or too few rows.
        SpecError: A wrong template or label.
    """
    chosen = find_template(asked.template) if asked.template else None
    if chosen is not None and chosen.writing:
        raise SpecError(
            f"template {chosen.name!r} is answered by a text, and a comparison is of ways to find "
            "a label; use 'promptkit eval' for each model, and 'promptkit runs diff'"
        )
    if chosen is not None and chosen.task.kind in STRUCTURED:
        raise SpecError(
            f"template {chosen.name!r} is of kind {chosen.task.kind!r}, and a comparison is of "
            "rows with one label each; use 'promptkit eval --strategy ...' for each way"
        )
    fields = chosen.task.fields if chosen else _fields(asked)
    stand_in = chosen or plain_template(fields)
    labelled, held = _loaded(asked, stand_in)
    evaluated = labelled if held is None else held
    settled, evaluated, train, notes = settle_labels(
        _as_eval(asked, stand_in), stand_in, evaluated, labelled
    )
    if isinstance(settled, ImportedTemplate):
        evaluated, told = in_terms(settled, evaluated)
        train = None if train is None else in_terms(settled, train)[0]
        notes += told
    labelled, held = train or evaluated, None if held is None else evaluated
    template = chosen or template_for(settled.task.labels, fields)
    labelled = labelled.limited(asked.limit)
    rows, tests = list(labelled.examples), list(held.examples) if held else []
    rows, copies = _without_copies(rows, tests)
    if copies:
        notes.append(f"{copies} labelled rows are copies of test rows and are not learned from")
    _check(rows, tests, labelled.origin)
    used = {label_key(row.label) for row in (*rows, *tests)}
    labels = tuple(label for label in settled.task.labels if label_key(label) in used)
    if len(labels) < 2:
        raise DataError(
            f"{labelled.origin}: all rows have one label; there is nothing to tell apart"
        )
    if len(labels) < len(settled.task.labels):
        notes.append(
            f"{len(settled.task.labels) - len(labels)} labels stand in no row and are left out"
        )
    return Rows(
        name=labelled.name,
        labelled=tuple(rows),
        held=tuple(tests),
        labels=labels,
        template=template.with_labels(labels),
        origin=labelled.origin,
        hash=labelled.content_hash() + (held.content_hash() if held else ""),
        notes=tuple(notes),
    )


def _fields(asked: CompareSpec) -> tuple[str, ...]:
    return tuple(asked.fields) or ("text",)


def _loaded(asked: CompareSpec, template: Template) -> tuple[Dataset, Dataset | None]:
    columns = dict(asked.fields)
    if asked.text_field is not None:
        columns[template.task.fields[0]] = asked.text_field
    read_as = EvalSpec(label_field=asked.label_field, id_field=asked.id_field)
    options = load_options(read_as, template, columns)

    def read(source: Any, split: str | None = None) -> Dataset:
        if isinstance(source, str | Path):
            return load(source, split=split, **options)
        in_python = {key: value for key, value in options.items() if key != "class_numbers"}
        return from_records(source, name="rows", **in_python)

    if asked.test_data is not None:
        if isinstance(asked.data, str | Path):
            train = train_split_of(asked.data, split=asked.split, **options)
            return train or read(asked.data), read(asked.test_data)
        return read(asked.data), read(asked.test_data)
    if not isinstance(asked.data, str | Path):
        return read(asked.data), None
    data = read(asked.data, asked.split)
    found = train_split_of(asked.data, split=asked.split, **options)
    return (data, None) if found is None else (found, data)


def _as_eval(asked: CompareSpec, template: Template) -> EvalSpec:
    """The part of the request that settles labels."""
    return EvalSpec(template=template.name, labels=asked.labels, label_map=asked.label_map)


def _without_copies(rows: list[Example], tests: Sequence[Example]) -> tuple[list[Example], int]:
    told = {copy_key(row) for row in tests}
    kept = [row for row in rows if copy_key(row) not in told]
    return kept, len(rows) - len(kept)


def _check(rows: Sequence[Example], tests: Sequence[Example], origin: str) -> None:
    for row in (*rows, *tests):
        if row.label is None or isinstance(row.label, tuple):
            raise DataError(
                f"{origin}: row {row.id!r} has {'no' if row.label is None else 'several'} "
                "label(s); a comparison needs exactly one a row"
            )
    ids = {row.id for row in rows}
    twice = [row.id for row in tests if row.id in ids]
    if twice:
        raise DataError(
            f"{origin}: row id {twice[0]!r} stands among labelled and test rows; ids must differ"
        )
    if len(rows) < 10:
        raise DataError(
            f"{origin}: {len(rows)} labelled rows are too few to compare anything; give at least 10"
        )
