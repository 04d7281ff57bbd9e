"""How the rows of a run are read: which column is which field, and which split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptkit.data.sources import find
from promptkit.errors import DataError, SpecError, nearest
from promptkit.prompts import Template
from promptkit.prompts.imported import ImportedTemplate
from promptkit.runs.imported_rows import imported_options
from promptkit.runs.spec import EvalSpec


def field_columns(asked: EvalSpec, template: Template) -> dict[str, str]:
    """The column of each field, where they differ.

    Raises:
        SpecError: A field that the template does not have.
    """
    fields = template.task.fields
    for field in asked.fields:
        if field not in fields:
            raise SpecError(
                f"--field {field}: template {template.name!r} has no such field; "
                f"{nearest(field, fields)}"
            )
    if asked.text_field is None:
        return dict(asked.fields)
    if len(fields) > 1:
        raise SpecError(
            f"--text-field is for templates with one field; {template.name!r} has "
            f"{', '.join(fields)}: use --field {fields[0]}=COLUMN for each"
        )
    return {**asked.fields, fields[0]: asked.text_field}


def load_options(asked: EvalSpec, template: Template, columns: Mapping[str, str]) -> dict[str, Any]:
    """What `promptkit.data.load` is told of columns."""
    if isinstance(template, ImportedTemplate):
        return imported_options(asked, template, columns)
    return {
        "fields": template.task.fields,
        "columns": columns,
        "label_field": asked.label_field,
        "id_field": asked.id_field,
    }


def train_split(source: str) -> str | None:
    """A data set with a split ``train`` gives that one; a file gives itself."""
    try:
        found = find(source, streaming=True)  # of a set on the Hub no row is downloaded for this
        return "train" if found.chosen("train") == "train" else None
    except DataError:
        return None
