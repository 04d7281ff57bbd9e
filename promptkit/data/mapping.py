"""The labels in a file, made the labels of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from promptkit.data.dataset import Dataset
from promptkit.data.labels import match_label
from promptkit.errors import DataError, nearest
from promptkit.types import Scalar, Value, label_key


def apply_labels(
    dataset: Dataset,
    labels: Sequence[Scalar],
    label_map: Mapping[str, Scalar] | None = None,
    *,
    keep: Sequence[Scalar] | None = None,
) -> tuple[Dataset, int]:
    """Give every row one of the task's labels, and count the rows that were dropped for theirs.

    Args:
        dataset: Rows with the labels of their file.
        labels: All of the task's labels in canonical order.
        label_map: What a label of the file is called in the task: ``{"1": "negative"}``. What it
            does not name is looked up in ``labels`` as it is.
        keep: The labels wanted, of ``labels``; rows with another of them are dropped. None,
            or none of them, keeps all.

    Returns:
        The rows, with labels out of ``labels`` (value and type) and ``keep`` in canonical order as
        the declared ones, and the number of rows dropped. Rows without a label stay as they are.

    Raises:
        DataError: A row's label is none of the task's; ``label_map`` leads to, or ``keep`` holds,
            a label that the task does not have.
    """
    renamed = {
        said: _known(to, labels, f"label map {said}={to}") for said, to in (label_map or {}).items()
    }
    wanted = {label_key(_known(label, labels, f"label {label!r}")) for label in keep or labels}
    named: dict[tuple[str, object], Scalar] = {}
    kept, rows = [], []
    for index, row in enumerate(dataset.examples):
        label = row.label
        if label is not None:
            label = _named(dataset, index, label, labels, renamed, named)
            parts = label if isinstance(label, tuple) else (label,)
            if not all(label_key(part) in wanted for part in parts):
                continue
        kept.append(index)
        rows.append(row if label is row.label else replace(row, label=label))
    chosen = tuple(label for label in labels if label_key(label) in wanted)
    taken = replace(dataset.taking(kept), examples=tuple(rows), labels=chosen)
    return taken, len(dataset) - len(kept)


def renamed(label: Scalar, label_map: Mapping[str, Scalar]) -> Scalar:
    """What a label is called by a map that has it, matched as labels are; else itself.

    >>> renamed(" Spam", {"spam": "junk"}), renamed(1, {"1": "bad"}), renamed("ham", {"spam": "x"})
    ('junk', 'bad', 'ham')
    """
    said = match_label(label, label_map)
    return label if said is None else label_map[said]


def _known(label: Scalar, labels: Sequence[Scalar], what: str) -> Scalar:
    found = match_label(label, labels)
    if found is None:
        raise DataError(f"{what}: the task has no label {label!r}; {nearest(label, labels)}")
    return found


def _named(
    dataset: Dataset,
    index: int,
    label: Value,
    labels: Sequence[Scalar],
    renamed: Mapping[str, Scalar],
    named: dict[tuple[str, object], Scalar],
) -> Value:
    """The task's label for a row's; ``named`` remembers, as a file has few different ones."""
    if isinstance(label, tuple):
        return tuple(_one(dataset, index, part, labels, renamed, named) for part in label)
    return _one(dataset, index, label, labels, renamed, named)


def _one(
    dataset: Dataset,
    index: int,
    label: Scalar,
    labels: Sequence[Scalar],
    renamed: Mapping[str, Scalar],
    named: dict[tuple[str, object], Scalar],
) -> Scalar:
    key = label_key(label)
    if key not in named:
        said = match_label(label, renamed)
        found = renamed[said] if said is not None else match_label(label, labels)
        if found is None:
            raise DataError(_unknown(dataset.where(index), label, labels))
        named[key] = found
    return named[key]


def _unknown(where: str, label: Scalar, labels: Sequence[Scalar]) -> str:
    return (
        f"{where}: label {label!r} is none of the task's {len(labels)} labels; "
        f"{nearest(label, labels)}; say what it stands for with --label-map {label}=LABEL, "
        "or give the labels with --labels"
    )
