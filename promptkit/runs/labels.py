"""One label set for template, rows and training rows."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.data import Dataset, apply_labels, match_label
from promptkit.errors import DataError, SpecError, nearest
from promptkit.prompts import Template
from promptkit.runs.spec import EvalSpec
from promptkit.types import Scalar


def settle_labels(
    asked: EvalSpec, template: Template, data: Dataset, train: Dataset | None
) -> tuple[Template, Dataset, Dataset | None, list[str]]:
    """One label set for template, rows and training rows; what was left out is noted."""
    if template.choosing or template.writing:
        why = "each row brings its choices" if template.choosing else "the answer is a text"
        if asked.labels:
            raise SpecError(f"template {template.name!r}: {why}; no --labels")
        return template, data, train, []
    notes: list[str] = []
    known = _known_labels(asked, template, data, train)
    wanted = wanted_labels(asked.labels, known)
    data, dropped = apply_labels(data, known, asked.label_map, keep=wanted)
    if dropped:
        notes.append(f"{dropped} rows with other labels than {_listed(wanted)} are left out")
    if template.declared and len(wanted) < len(template.declared):
        why = "as --labels asks" if asked.labels else "the others are not declared by the data"
        notes.append(
            f"{len(wanted)} of the template's {len(template.declared)} labels are in use: "
            f"{_listed(wanted)} ({why})"
        )
    if train is not None:
        train, _ = apply_labels(train, known, asked.label_map, keep=wanted)
    return template.with_labels(wanted), data, train, notes


def _known_labels(
    asked: EvalSpec, template: Template, data: Dataset, train: Dataset | None
) -> tuple[Scalar, ...]:
    """All labels that a row may have before ``--labels`` narrows them."""
    if template.declared:
        if data.labels is None or asked.labels:
            return template.declared
        declared = [_mapped(label, asked, template.declared, data) for label in data.labels]
        return tuple(dict.fromkeys(declared))
    if data.labels is not None:
        return tuple(dict.fromkeys(asked.label_map.get(str(x), x) for x in data.labels))
    if asked.labels:
        return tuple(asked.labels)
    if train is not None and train.labels is None:
        found = [row.label for row in train if row.label is not None]
        mapped = {asked.label_map.get(str(label), label) for label in found}
        return tuple(sorted((x for x in mapped if not isinstance(x, tuple)), key=str))
    raise SpecError(
        f"template {template.name!r} leaves its labels open, and {data.origin} has no card that "
        "declares them; give --labels a,b,c or --train-data FILE"
    )


def _mapped(label: Scalar, asked: EvalSpec, known: Sequence[Scalar], data: Dataset) -> Scalar:
    found = match_label(asked.label_map.get(str(label), label), known)
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
