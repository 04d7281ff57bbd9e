"""One label set for template, rows and training rows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from promptkit.data import Dataset, apply_labels, match_label, renamed
from promptkit.errors import DataError, SpecError, nearest
from promptkit.prompts import Template
from promptkit.prompts.parts_asked import tags_of
from promptkit.runs.imported_rows import knowing_words
from promptkit.runs.spec import EvalSpec
from promptkit.strategies.rated import number_of
from promptkit.types import Scalar, label_key


def settle_labels(
    asked: EvalSpec, template: Template, data: Dataset, train: Dataset | None
) -> tuple[Template, Dataset, Dataset | None, list[str]]:
    """One label set for template, rows and training rows; what was left out is noted."""
    asked = knowing_words(asked, template)
    if template.choosing or template.writing:
        why = "each row brings its choices" if template.choosing else "the answer is a text"
        for option in ("labels", "out_of_scope"):
            if getattr(asked, option) not in (None, []):
                named = option.replace("_", "-")
                raise SpecError(f"template {template.name!r}: {why}; no --{named}")
        return template, data, train, []
    notes: list[str] = []
    if template.task.kind == "rate":
        return _settle_numbers(asked, template, data, train)
    data = _parted(template, data)
    train = None if train is None else _parted(template, train)
    known, outside = _known_labels(asked, template, data, train), asked.out_of_scope
    if outside is not None:
        known = _without(known, outside)
    wanted = wanted_labels(asked.labels, known)
    whole = () if outside is None else (outside,)  # such rows are kept, and no label of the task
    known, kept = (*known, *whole), (*wanted, *whole)
    data, dropped = apply_labels(data, known, asked.label_map, keep=kept)
    if dropped:
        notes.append(f"{dropped} rows with other labels than {_listed(wanted)} are left out")
    if outside is not None:
        n = sum(label_key(row.label) == label_key(outside) for row in data)
        notes.append(
            f"{n:,} of the {len(data):,} rows are of none of the labels ({outside}): they count "
            "where rows out of scope are told apart, and nowhere else"
        )
    if template.declared and len(wanted) < len(template.declared):
        why = "as --labels asks" if asked.labels else "the others are not declared by the data"
        notes.append(
            f"{len(wanted)} of the template's {len(template.declared)} labels are in use: "
            f"{_listed(wanted)} ({why})"
        )
    if train is not None:
        train, _ = apply_labels(train, known, asked.label_map, keep=kept)
    return template.with_labels(wanted), data, train, notes


def _known_labels(
    asked: EvalSpec, template: Template, data: Dataset, train: Dataset | None
) -> tuple[Scalar, ...]:
    """All labels that a row may have before ``--labels`` narrows them."""
    if template.declared:
        if data.labels is None or asked.labels:
            return template.declared
        said = [x for x in data.labels if not _is(asked.out_of_scope, x, asked.label_map)]
        declared = [_mapped(label, asked, template.declared, data) for label in said]
        return tuple(dict.fromkeys(declared))
    if data.labels is not None:
        return tuple(dict.fromkeys(renamed(x, asked.label_map) for x in data.labels))
    if asked.labels:
        return tuple(asked.labels)
    if train is not None and train.labels is None:
        found: list[Scalar] = []
        for gold in [row.label for row in train if row.label is not None]:
            found += gold if isinstance(gold, tuple) else (gold,)
        mapped = {renamed(label, asked.label_map) for label in found}
        return tuple(sorted(mapped, key=str))
    raise SpecError(
        f"template {template.name!r} leaves its labels open, and {data.origin} has no card that "
        "declares them; give --labels a,b,c or --train-data FILE"
    )


def _settle_numbers(
    asked: EvalSpec, template: Template, data: Dataset, train: Dataset | None
) -> tuple[Template, Dataset, Dataset | None, list[str]]:
    """Gold numbers as numbers; they may lie between those that the template names."""
    for option in ("labels", "out_of_scope", "label_map"):
        if getattr(asked, option) not in (None, [], {}):
            raise SpecError(
                f"template {template.name!r} rates on a scale of its own; no "
                f"--{option.replace('_', '-')}"
            )
    numbered = None if train is None else _numbered(template, train)
    return template, _numbered(template, data), numbered, []


def _numbered(template: Template, rows: Dataset) -> Dataset:
    low, high = float(template.task.labels[0]), float(template.task.labels[-1])
    found = []
    for place, row in enumerate(rows):
        number = None if row.label is None else number_of(row)
        if number is not None and not low <= number <= high:
            raise DataError(
                f"{rows.where(place)}: the rating {number:g} lies outside the template's scale, "
                f"{low:g} to {high:g}"
            )
        found.append(replace(row, label=number))
    return replace(rows, examples=tuple(found), labels=template.task.labels)


def _parted(template: Template, rows: Dataset) -> Dataset:
    """Labels that stand in one text, one by one: ``a;b`` of kind ``multilabel``, words of tags."""
    kind = template.task.kind
    if kind not in ("multilabel", "tag"):
        return rows
    found = []
    for place, row in enumerate(rows):
        label = row.label
        if kind == "multilabel" and label in template.declared:
            label = (label,)  # its name may hold a comma
        if isinstance(label, str) and label.startswith("["):
            label = _listed_labels(label, rows.where(place))
        if isinstance(label, str):
            parts = re.split(r"[;,|]", label) if kind == "multilabel" else label.split()
            label = tuple(one.strip() for one in parts if one.strip())
        elif label is not None and not isinstance(label, tuple):
            label = (label,)
        own = replace(row, label=label)
        if kind == "tag" and label is not None:
            try:
                tags_of(own, str(template.task.words))
            except DataError as error:
                raise DataError(f"{rows.where(place)}: {error}") from error
        found.append(own)
    return replace(rows, examples=tuple(found))


def _listed_labels(text: str, where: str) -> tuple[Scalar, ...]:
    """A cell that holds a JSON list, as `promptkit predict` writes it; ``[]`` is no label."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise DataError(f"{where}: the labels {text:.60} are no JSON list ({error})") from error
    return tuple(found)


def _without(known: Sequence[Scalar], outside: Scalar) -> tuple[Scalar, ...]:
    """The labels without the one that stands for none of them."""
    own = match_label(outside, known)
    return tuple(x for x in known if own is None or label_key(x) != label_key(own))


def _is(outside: Scalar | None, label: Scalar, label_map: Mapping[str, Scalar]) -> bool:
    """Whether a label of the data is the one that stands for none."""
    mapped = renamed(label, label_map)
    return outside is not None and match_label(mapped, [outside]) is not None


def _mapped(label: Scalar, asked: EvalSpec, known: Sequence[Scalar], data: Dataset) -> Scalar:
    found = match_label(renamed(label, asked.label_map), known)
    if found is None:
        raise DataError(
            f"{data.origin}: declares the label {label!r}, which the template does not have; "
            f"{nearest(label, known)}; map it with --label-map {label}=LABEL, or narrow the "
            "labels with --labels"
        )
    return found


def wanted_labels(asked: Sequence[Scalar] | None, known: Sequence[Scalar]) -> tuple[Scalar, ...]:
    """Those of the known labels that were asked for: all where none was; any where none is known.

    Raises:
        SpecError: One that is not known.
    """
    if not asked or not known:
        return tuple(asked or known)
    wanted = []
    for label in asked:
        found = match_label(label, known)
        if found is None:
            raise SpecError(f"--labels: no label {label!r}; {nearest(label, known)}")
        wanted.append(found)
    return tuple(wanted)


def _listed(labels: Sequence[Scalar]) -> str:
    shown = ", ".join(map(str, labels[:6]))
    return shown + (f" and {len(labels) - 6} more" if len(labels) > 6 else "")
