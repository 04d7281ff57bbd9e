"""One label set for template, rows and training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from promptkit.data import Dataset, apply_labels, match_label
from promptkit.errors import DataError, SpecError, nearest
from promptkit.prompts import Template
from promptkit.runs.spec import EvalSpec
from promptkit.types import Scalar, label_key


def settle_labels(
    asked: EvalSpec, template: Template, data: Dataset, train: Dataset | None
) -> tuple[Template, Dataset, Dataset | None, list[str]]:
    """One label set for template, rows and training rows; what was left out is noted."""
    if template.choosing or template.writing:
        why = "each row brings its choices" if template.choosing else "the answer is a text"
        for option in ("labels", "out_of_scope"):
            if getattr(asked, option) not in (None, []):
                named = option.replace("_", "-")
                raise SpecError(f"template {template.name!r}: {why}; no --{named}")
        return template, data, train, []
    notes: list[str] = []
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


def _without(known: Sequence[Scalar], outside: Scalar) -> tuple[Scalar, ...]:
    """The labels without the one that stands for none of them."""
    own = match_label(outside, known)
    return tuple(x for x in known if own is None or label_key(x) != label_key(own))


def _is(outside: Scalar | None, label: Scalar, label_map: Mapping[str, Scalar]) -> bool:
    """Whether a label of the data is the one that stands for none."""
    mapped = label_map.get(str(label), label)
    return outside is not None and match_label(mapped, [outside]) is not None


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
