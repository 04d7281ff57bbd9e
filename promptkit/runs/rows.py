"""The rows of a run, and the template that they are put with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptkit.data import Dataset, columns_of, load, train_split_of
from promptkit.errors import DataError, SpecError
from promptkit.prompts import Template, find_template
from promptkit.prompts.imported import ImportedTemplate
from promptkit.runs.adapt import is_learned
from promptkit.runs.columns import field_columns, load_options, train_split
from promptkit.runs.imported_rows import in_terms
from promptkit.runs.labels import settle_labels
from promptkit.runs.plain import TEXT, field_names, plain_template, template_for
from promptkit.runs.spec import EvalSpec
from promptkit.types import Example


def rows_for(asked: EvalSpec) -> tuple[Template, Dataset, Dataset | None, list[str]]:
    """The template with its labels settled, the rows, the training rows, and what to note.

    Raises:
        DataError: Rows that cannot be used, or none.
        SpecError: What was asked for does not go together.
    """
    template, columns = template_and_columns(asked)
    data, train = _rows(asked, template, columns)
    template, data, train, notes = settle_labels(asked, template, data, train)
    if isinstance(template, ImportedTemplate):
        data, told = in_terms(template, data)
        train = None if train is None else in_terms(template, train)[0]
        notes += told
    if asked.template is None:
        template = template_for(template.task.labels, template.task.fields)
    template = template.permuted(asked.permutation)
    data = data.limited(asked.limit)
    if not data.examples:
        raise DataError(f"{data.origin}: no rows left to evaluate; check --labels and --limit")
    return template, data, train, notes


def rows_to_learn(asked: EvalSpec) -> tuple[Template, Dataset, dict[str, str], list[str]]:
    """The template with its labels settled, all training rows, their columns, and what to note.

    Raises:
        DataError: Rows that cannot be used, or none.
        SpecError: What was asked for does not go together.
    """
    template, columns = template_and_columns(asked)
    source = _source(asked, template)
    rows = load(
        source,
        split=asked.split or train_split(source),
        limit=_first_rows(asked, source),
        **load_options(asked, template, columns),
    )
    settled, rows, _, notes = settle_labels(asked, template, rows, rows)
    if isinstance(settled, ImportedTemplate):
        rows, told = in_terms(settled, rows)
        notes += told
    if asked.template is None:
        settled = template_for(settled.task.labels, settled.task.fields)
    if not rows.examples:
        raise DataError(f"{rows.origin}: no rows left to learn from; check --labels")
    renamed = {name: column for name, column in columns.items() if name != column}
    return settled, rows.limited(asked.limit), renamed, notes


def template_and_columns(asked: EvalSpec) -> tuple[Template, dict[str, str]]:
    """The template, its labels not yet settled, and the column of each of its fields."""
    if asked.template is not None:
        template = find_template(asked.template)
        if asked.chat and template.keys.imported:
            raise SpecError(
                f"--chat: template {template.name!r} was imported, and its forms are no chat"
            )
        if asked.chat is not None and asked.chat != template.keys.chat:
            keys = template.keys.model_copy(update={"chat": asked.chat})
            template = Template(keys, template.file)
        return template, field_columns(asked, template)
    if asked.data is None:
        raise SpecError("no rows given; say which with --data FILE, or name a --template")
    told = asked.fields or ({TEXT: asked.text_field} if asked.text_field else {})
    if not told:
        only = text_column(columns_of(asked.data, split=asked.split), asked)
        told = {TEXT: only}
    fields = field_names(list(told))
    return plain_template(fields), dict(zip(fields, told.values(), strict=True))


def text_column(columns: tuple[str, ...], asked: EvalSpec) -> str:
    """The column of text where nobody said which: ``text``, or the only one that it can be.

    Raises:
        SpecError: None, or several that it could be.
    """
    free = [name for name in columns if name not in (asked.label_field, asked.id_field)]
    if TEXT in free or len(free) == 1:
        return TEXT if TEXT in free else free[0]
    raise SpecError(
        f"{asked.data}: which column holds the text? It has {', '.join(columns) or 'none'}; say "
        "--text-field COLUMN, or --field NAME=COLUMN for each of several"
    )


def row_text(template: Template, example: Example) -> str:
    """A row's text for tables of errors."""
    shown = [f for f in template.task.fields if f != template.task.choices]
    if isinstance(template, ImportedTemplate):  # what its functions read is known to nobody
        texts = [name for name, value in example.fields.items() if isinstance(value, str)]
        shown = [name for name in shown if name in example.fields] or texts
    return " / ".join(_said(example.fields[name]) for name in shown)


def _said(value: Any) -> str:
    """A list of words reads as a sentence."""
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _rows(
    asked: EvalSpec, template: Template, columns: Mapping[str, str]
) -> tuple[Dataset, Dataset | None]:
    source, options = _source(asked, template), load_options(asked, template, columns)
    data = load(source, split=asked.split, limit=_first_rows(asked, source), **options)
    if asked.train_data is not None:
        return data, load(asked.train_data, split=train_split(asked.train_data), **options)
    train = train_split_of(source, split=asked.split, **options)
    if train is None and is_learned(asked.strategy):
        raise DataError(
            f"strategy {asked.strategy!r} learns from labelled rows, and {source} has no others "
            "than those to evaluate; give some with --train-data FILE"
        )
    return data, train


def _first_rows(asked: EvalSpec, source: str) -> int | None:
    """``--limit``, where it is known before rows are read and spares the download of the others.

    Elsewhere all rows are read and checked: a limit never hides that the last one is broken.
    """
    picks = asked.labels or asked.out_of_scope is not None
    return asked.limit if source.startswith("hf:") and not picks else None


def _source(asked: EvalSpec, template: Template) -> str:
    source = asked.data or template.keys.data
    if source is None:
        raise SpecError(
            f"template {template.name!r} has no rows of its own; say which with --data FILE"
        )
    return source
