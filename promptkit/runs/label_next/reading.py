"""The rows of a round, from files: those with a label, and a pool of those without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from promptkit.data import Dataset, columns_of, load
from promptkit.data.columns import ID, LABEL
from promptkit.data.sources import find
from promptkit.errors import DataError, SpecError
from promptkit.prompts import Template
from promptkit.runs.columns import load_options, train_split
from promptkit.runs.kinds import need_single_labels
from promptkit.runs.label_next.nouns import Round
from promptkit.runs.labels import settle_labels
from promptkit.runs.plain import template_for
from promptkit.runs.rows import template_and_columns
from promptkit.runs.spec import EvalSpec
from promptkit.selectors.copies import copy_key
from promptkit.types import Example, Scalar

#: Columns that are written beside a row's own, and are no part of it when it comes back.
ADDED = ("suggested", "probability", "why")


def read_round(asked: EvalSpec, labelled: str | None = None) -> Round:
    """Read the pool, and what has been labelled so far.

    A row of either file is labelled where its label is filled in, so that a file that
    `promptkit label-next` wrote can be given back half done.

    Args:
        asked: The pool, and how rows are read.
        labelled: A file of rows with labels.

    Raises:
        DataError: Rows that cannot be used, or none without a label.
        CapabilityError: Rows that do not have one label each.
    """
    source = asked.data
    if source is None:
        raise SpecError("no rows given; say which with --data FILE")
    asked = _text_column_named(asked)
    template, columns = template_and_columns(asked)
    need_single_labels(template, "label-next")
    if template.choosing or template.writing:
        raise SpecError(
            f"template {template.name!r} has no labels that all rows share; label-next suggests "
            "rows for a fixed set of labels"
        )
    split = asked.split or train_split(source)
    pool = _loaded(asked, template, columns, source, split)
    given = [pool]
    if labelled is not None:
        given.append(_loaded(asked, template, columns, labelled, train_split(labelled)))
    asked, settled, known, notes = _settled(asked, template, given)
    names, rows = _raw(source, split, pool)
    return round_of(
        source,
        settled if known else template,
        [row for one in given for row in one if has_label(row)],
        [row for row in pool if not has_label(row)],
        rows,
        columns=[name for name in names if name not in (*ADDED, asked.label_field)],
        label_column=asked.label_field,
        known=known,
        notes=[*notes, *_half_done(given[1:])],
    )


def round_of(
    name: str,
    template: Template,
    labelled: Iterable[Example],
    pool: Iterable[Example],
    rows: Mapping[str, Mapping[str, Any]],
    *,
    columns: Sequence[str],
    label_column: str,
    known: bool,
    notes: Sequence[str] = (),
) -> Round:
    """Rows that are there already as a round: each text once, and none that has a label.

    Raises:
        DataError: Nothing is left to label.
    """
    done = tuple(sorted(labelled, key=lambda row: row.id))
    barred = {copy_key(row) for row in done}
    offered = sorted(pool, key=lambda row: row.id)
    kept: dict[str, Example] = {}
    for row in offered:
        kept.setdefault(copy_key(row), row)
    free = tuple(row for key, row in kept.items() if key not in barred)
    copied = sum(copy_key(row) in barred for row in offered)
    told = list(notes)
    if copied:
        told.append(f"left out, as labelled already or copies of labelled rows: {copied:,} row(s)")
    if len(offered) - copied > len(free):
        told.append(f"copies of one text are suggested once: {len(offered) - copied:,} rows have "
                    f"{len(free):,} different texts")  # fmt: skip
    if not free:
        raise DataError(
            f"{name}: no row is left to label; each has a label, or is a copy of one that has"
        )
    return Round(
        name=name,
        template=template,
        labelled=done,
        pool=free,
        rows=rows,
        columns=tuple(columns),
        label_column=label_column,
        known=known,
        notes=tuple(told),
    )


def has_label(row: Example) -> bool:
    """Whether a label is filled in; a cell of white space is none."""
    return row.label is not None and not (isinstance(row.label, str) and not row.label.strip())


def _text_column_named(asked: EvalSpec) -> EvalSpec:
    """The same, with the only column that can hold text, those that were added left aside."""
    if asked.template or asked.text_field or asked.fields or asked.data is None:
        return asked
    there = columns_of(asked.data, split=asked.split)
    free = [name for name in there if name not in (*ADDED, asked.label_field, asked.id_field)]
    only = free[0] if len(free) == 1 else None
    return asked.model_copy(update={"text_field": only}) if only else asked


def _loaded(
    asked: EvalSpec,
    template: Template,
    columns: Mapping[str, str],
    source: str,
    split: str | None,
) -> Dataset:
    """The rows of a file, labels where there are some; an unlabelled file has no such column."""
    there = _table(source, split)[0]
    options = load_options(asked, template, columns)
    if asked.label_field not in there:
        options["label_field"] = LABEL
    if source != asked.data and asked.id_field not in there:
        options["id_field"] = ID
    found = load(source, split=split, require_labels=False, **options)
    if asked.label_field not in there:
        # a column called so by chance, where labels were said to stand in another
        bare = tuple(replace(row, label=None) for row in found)
        return replace(found, examples=bare, labels=None)
    return found


def _settled(
    asked: EvalSpec, template: Template, given: list[Dataset]
) -> tuple[EvalSpec, Template, bool, list[str]]:
    """One label set for all rows, put into ``given``; and whether there is one at all."""
    place_of = [[at for at, row in enumerate(one) if has_label(row)] for one in given]
    if template.open and not asked.labels:
        declared = next((one.labels for one in given if one.labels is not None), None)
        own = [one.examples[at].label for one, at_all in zip(given, place_of, strict=True)
               for at in at_all]  # fmt: skip
        found = labels_among(own if declared is None else declared, asked.label_map)
        if len(found) < 2:
            told = f"all labelled rows are {found[0]!r}" if own else "no row has a label yet"
            return asked, template, False, [f"{told}, so that nothing can be told apart: --labels "
                                            "a,b,c names the labels"]  # fmt: skip
        asked = asked.model_copy(update={"labels": list(found)})
    notes: list[str] = []
    settled = template
    for number, (one, places) in enumerate(zip(given, place_of, strict=True)):
        settled, labelled, _, said = settle_labels(asked, template, one.taking(places), None)
        notes += [note for note in said if note not in notes]
        rest = [row for row in one if not has_label(row)]
        given[number] = replace(one, examples=(*labelled, *rest), numbers=(), place=None)
    if asked.template is None:
        settled = template_for(settled.task.labels, settled.task.fields)
    return asked, settled, True, notes


def labels_among(labels: Iterable[Any], label_map: Mapping[str, Scalar]) -> tuple[Scalar, ...]:
    """The different labels, as the map calls them, in order."""
    mapped = {label_map.get(str(label), label): None for label in labels}
    return tuple(sorted(mapped, key=str))


def _half_done(given: Sequence[Dataset]) -> list[str]:
    """What is said of labelled files in which labels are missing."""
    told = []
    for one in given:
        bare = sum(not has_label(row) for row in one)
        if bare:
            told.append(f"{bare:,} of {len(one):,} rows of {one.origin} have no label yet, and are "
                        "taken as unlabelled")  # fmt: skip
    return told


def _raw(
    source: str, split: str | None, pool: Dataset
) -> tuple[tuple[str, ...], dict[str, Mapping[str, Any]]]:
    """The columns of the pool, and each row by id with all of them."""
    columns, rows = _table(source, split)
    return columns, {row.id: raw for row, raw in zip(pool, rows, strict=True)}


def _table(source: str, split: str | None) -> tuple[tuple[str, ...], list[Mapping[str, Any]]]:
    """All columns that any row has, and the rows as the file has them."""
    found = find(source)
    table = found.splits[found.chosen(split)]()
    rows = [row for _, row in table.rows]
    return table.columns or tuple(dict.fromkeys(str(name) for row in rows for name in row)), rows
