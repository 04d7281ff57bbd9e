"""Rows for imported templates: read whole, since another tool's forms may look anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from promptkit.data import Dataset, from_records
from promptkit.data.columns import LABEL
from promptkit.data.ids import content_id
from promptkit.data.values import is_missing, plain
from promptkit.errors import DataError, PromptkitError, SpecError
from promptkit.prompts import Template
from promptkit.prompts.imported import ImportedTemplate, said_as
from promptkit.prompts.peer_code import process_docs
from promptkit.runs.spec import EvalSpec
from promptkit.types import Example


def imported_options(
    asked: EvalSpec, template: ImportedTemplate, columns: Mapping[str, str]
) -> dict[str, Any]:
    """What `promptkit.data.load` is told: every column is read, and numbers stay numbers.

    Raises:
        SpecError: A column of labels where the template itself says what is right.
    """
    decided = not (template.choosing or template.writing)
    named = asked.label_field != LABEL
    if named and not decided:
        raise SpecError(
            f"--label-field {asked.label_field}: template {template.name!r} works out what is "
            "right from the row's own columns; leave it out"
        )
    return {
        "columns": {name: columns.get(name, name) for name in template.task.fields},
        "label_field": asked.label_field if named or not decided else template.label_column,
        "id_field": asked.id_field,
        "require_labels": decided,
        "class_numbers": True,
    }


def knowing_words(asked: EvalSpec, template: Template) -> EvalSpec:
    """What was asked for; labels of an imported template by their words too: ``negative`` for 0.

    Elsewhere labels have names of their own, and a word that is none of them is no label.
    """
    if not template.keys.imported:
        return asked
    return asked.model_copy(update={"label_map": {**said_as(template), **asked.label_map}})


def in_terms(template: ImportedTemplate, data: Dataset) -> tuple[Dataset, list[str]]:
    """The rows as the task reads them, those that the template leaves out set apart.

    Raises:
        DataError: A row that cannot be rendered, or none that the template does not leave out.
    """
    data = _processed(template, data)
    kept = [place for place, row in enumerate(data.examples) if not template.skips(row)]
    left_out = len(data) - len(kept)
    if not kept:
        raise DataError(
            f"{data.origin}: template {template.name!r} leaves out all {len(data):,} rows by its "
            "own conditions; are its numbers texts there? (CSV holds texts; use JSONL or Parquet)"
        )
    data = data.taking(kept)
    data = replace(data, examples=tuple(template.prepared(row) for row in data.examples))
    told = f"{left_out:,} rows are left out by the template's own conditions"
    return data, [told] if left_out else []


def imported_example(
    row: Mapping[str, Any], template: ImportedTemplate, columns: Mapping[str, str]
) -> tuple[Example | None, str]:
    """A row to be answered, or why it cannot be; see `promptkit.runs.answers.example_of`."""
    fields: dict[str, Any] = {}
    for name, value in row.items():
        try:
            fields[str(name)] = None if is_missing(value) else plain(value)
        except TypeError as error:
            return None, f"{name!r} holds {error}"
    for name in template.task.fields:
        column = columns.get(name, name)
        if column not in row:
            return None, f"no {column!r}"
        fields[name] = fields[column]
    # a function may read any column, so that all of them name the row
    said = {name: fields[name] for name in template.task.fields} or fields
    example = Example(content_id(said), fields)
    try:
        if template.skips(example):
            return None, "the template leaves it out"
        return template.prepared(example), ""
    except PromptkitError as error:
        return None, str(error)


def _processed(template: ImportedTemplate, data: Dataset) -> Dataset:
    """The rows as the task's own ``process_docs`` makes them, where it has one."""
    function = template.function("process_docs")
    if function is None:
        return data
    made = process_docs(function, [template.document(row) for row in data.examples])
    fresh = from_records(made, name=data.name, split=data.split, require_labels=False)
    return replace(data, examples=fresh.examples, numbers=fresh.numbers, labels=None)
