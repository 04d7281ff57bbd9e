"""``promptkit.label_next`` and ``promptkit.label_errors``: rows as scikit-learn has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from promptkit.errors import SpecError
from promptkit.estimators.labels import classes_of, golds_of, labels_in_template, plain_label
from promptkit.estimators.rows import check_fields, examples_of_records, fields_of, records_of
from promptkit.prompts import Template, find_template
from promptkit.report.labelled import NextLabels, SuspectLabels
from promptkit.runs.label_errors import Search, errors_among
from promptkit.runs.label_next import Request, round_of, suggest
from promptkit.runs.plain import field_names, plain_template, template_for
from promptkit.types import Example, Scalar


def label_next(
    pool: Any,
    X: Any = None,
    y: Any = None,
    n: int = 50,
    *,
    by: str = "auto",
    labels: Sequence[Scalar] | None = None,
    fields: str | Sequence[str] | None = None,
    template: str | Template | None = None,
    model: str = "minilm",
    seed: int = 0,
    device: str = "auto",
    dtype: str = "auto",
) -> NextLabels:
    """The rows of a pool whose labels are worth most, the most valuable first.

    Args:
        pool: Rows without labels: texts, a data frame or mappings.
        X: Labelled rows of the same kind; None where nothing is labelled yet.
        y: Their labels.
        n: How many rows.
        by: ``auto``, ``informative``, ``margin``, ``committee``, ``diverse``, ``typical``,
            ``balanced`` or ``random``; see `promptkit.runs.label_next.WAYS`.
        labels: All labels, where there are more than ``y`` has.
        fields: Names of the fields to read; by default ``text`` or the only column.
        template: How the task is put: an in-box name, a path, or a `promptkit.Template`. What it
            says about labels is learned from too.
        model: ``minilm``, a folder or a hub id.
        seed: Of every draw.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        dtype: Number format of the model.

    Raises:
        DataError: Rows or labels that cannot be used, or nothing left to label.
        SpecError: What was asked for does not go together.

    Example:
        >>> found = label_next(pool, texts, labels, n=20)  # doctest: +SKIP
        >>> [pool[place] for place in found.indices]  # doctest: +SKIP
    """
    if (X is None) != (y is None):
        raise SpecError("give X and y, labelled rows and their labels, or neither")
    names = _fields(pool, fields, template)
    golds = [] if y is None else [plain_label(gold) for gold in golds_of(y)]
    known = list(labels) if labels is not None else _classes(golds)
    settled, own = _template(template, known, names)
    records = records_of(pool, names)
    rows = _examples(records, names, settled)
    done = [] if X is None else _labelled(records_of(X, names), golds, names, settled, own)
    made = round_of(
        "the pool",
        settled,
        done,
        rows,
        {row.id: record for row, record in zip(rows, records, strict=True)},
        columns=tuple(dict.fromkeys(str(key) for record in records for key in record)),
        label_column="label",
        known=len(known) > 1 or bool(settled.declared),
    )
    found = suggest(made, Request(n, by, model, seed, device, dtype))
    return NextLabels(found, _indices(rows, [one.id for one in found.rows]))


def label_errors(
    X: Any,
    y: Any,
    *,
    strategy: str = "features",
    options: Mapping[str, Any] | None = None,
    fields: str | Sequence[str] | None = None,
    template: str | Template | None = None,
    model: str = "minilm",
    folds: int = 10,
    repeats: int = 1,
    seed: int = 0,
    device: str = "auto",
    dtype: str = "auto",
) -> SuspectLabels:
    """Labels that may be wrong, the most suspicious first: confident learning, with cleanlab.

    Each row is answered by a model that was fitted without it and without copies of its text.

    Args:
        X: Texts, a data frame or mappings.
        y: (n,) labels.
        strategy: Who answers: ``features``, ``tfidf``, ``head`` or another that has probabilities.
        options: Options of the strategy.
        fields: Names of the fields to read; by default ``text`` or the only column.
        template: How the task is put: an in-box name, a path, or a `promptkit.Template`.
        model: ``minilm``, a folder or a hub id.
        folds: Parts that the rows are dealt into.
        repeats: How often they are dealt; answers are averaged.
        seed: Of every draw.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        dtype: Number format of the model.

    Raises:
        MissingExtra: cleanlab is not installed.
        DataError: Rows or labels that cannot be used, or one label alone.

    Example:
        >>> found = label_errors(texts, labels)  # doctest: +SKIP
        >>> [(texts[place], labels[place]) for place in found.indices]  # doctest: +SKIP
    """
    names = _fields(X, fields, template)
    golds = [plain_label(gold) for gold in golds_of(y)]
    settled, own = _template(template, _classes(golds), names)
    records = records_of(X, names)
    rows = _labelled(records, golds, names, settled, own)
    found = errors_among(
        rows,
        settled,
        Search(strategy, dict(options or {}), model, folds, repeats, seed, device, dtype),
        origin="X",
        columns=tuple(dict.fromkeys(str(key) for record in records for key in record)),
        rows_of={row.id: record for row, record in zip(rows, records, strict=True)},
    )
    return SuspectLabels(found, _indices(rows, [one.id for one in found.suspects]))


def _fields(
    X: Any, fields: str | Sequence[str] | None, template: str | Template | None
) -> tuple[str, ...]:
    """The columns that are read."""
    if template is not None:
        if fields is not None:
            raise SpecError("give fields= or template=, not both: a template names its own fields")
        found = template if isinstance(template, Template) else find_template(template)
        return found.task.fields
    if fields is None:
        return fields_of(X)
    names = (fields,) if isinstance(fields, str) else tuple(fields)
    check_fields(X, names)
    return names


def _classes(golds: Sequence[Scalar]) -> list[Scalar]:
    return [plain_label(one) for one in classes_of(golds_of(golds), "y")] if golds else []


def _template(
    template: str | Template | None, labels: Sequence[Scalar], fields: Sequence[str]
) -> tuple[Template, dict[Scalar, Scalar]]:
    """The template with its labels settled, and its own label for each of the user's."""
    if template is None:
        own = field_names(fields)
        made = template_for(labels, own) if len(labels) > 1 else plain_template(own)
        return made, {label: label for label in labels}
    found = template if isinstance(template, Template) else find_template(template)
    known = labels_in_template(labels, found)
    settled = found.with_labels(known) if found.open and len(known) > 1 else found
    return settled, dict(zip(labels, known, strict=True))


def _examples(
    records: Sequence[Mapping[str, Any]], names: Sequence[str], template: Template
) -> tuple[Example, ...]:
    """Checked rows with the template's fields."""
    pairs = list(zip(template.task.fields, names, strict=True))
    renamed = [{own: row[name] for own, name in pairs if name in row} for row in records]
    return examples_of_records(renamed, template.task.fields)


def _labelled(
    records: Sequence[Mapping[str, Any]],
    golds: Sequence[Scalar],
    names: Sequence[str],
    template: Template,
    own: Mapping[Scalar, Scalar],
) -> list[Example]:
    if len(records) != len(golds):
        raise SpecError(f"X has {len(records)} rows and y has {len(golds)}; they must be as many")
    strange = next((gold for gold in golds if gold not in own), None)
    if strange is not None:
        raise SpecError(f"y has the label {strange!r}, which labels= leaves out; name all labels")
    rows = _examples(records, names, template)
    return [replace(row, label=own[gold]) for row, gold in zip(rows, golds, strict=True)]


def _indices(rows: Sequence[Example], ids: Sequence[str]) -> list[int]:
    place = {row.id: number for number, row in enumerate(rows)}
    return [place[one] for one in ids]
