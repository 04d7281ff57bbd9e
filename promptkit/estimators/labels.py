"""Labels for scikit-learn estimators: y laid flat and checked, classes in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promptkit.data import match_label
from promptkit.data.values import is_missing
from promptkit.errors import DataError, SpecError, nearest
from promptkit.prompts import Template
from promptkit.types import Scalar, label_key


def plain_label(label: Any) -> Scalar:
    """A numpy scalar as the plain value that it holds."""
    value: Scalar = label.item() if isinstance(label, np.generic) else label
    return value


def golds_of(y: Any) -> NDArray[Any]:
    """(n,) labels; a column of them, as a data frame with one column gives it, is laid flat.

    Raises:
        DataError: Several columns, or a missing label.
    """
    golds = np.asarray(y)
    if golds.ndim == 2 and golds.shape[1] == 1:
        golds = golds[:, 0]
    if golds.ndim != 1:
        raise DataError(f"y has the shape {golds.shape}; it must hold one label a row")
    for number, gold in enumerate(golds.tolist(), start=1):
        if is_missing(gold):
            raise DataError(f"y row {number}: no label ({gold!r}); leave such rows out")
    return golds


def classes_of(labels: NDArray[Any], where: str) -> NDArray[Any]:
    """(k,) the different labels in order.

    Raises:
        DataError: None at all, or labels of types that have no common order.
    """
    if not len(labels):
        raise DataError(f"{where} holds no label")
    try:
        return np.unique(labels)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in labels})
        raise DataError(
            f"{where} mixes labels of the types {' and '.join(kinds)}, which have no order; "
            "use one type"
        ) from error


def labels_in_template(labels: Sequence[Scalar], template: Template) -> list[Scalar]:
    """The template's own label for each of these; an open template takes them as they are.

    Raises:
        SpecError: A label that the template does not have, or two that are one to it.
    """
    if not template.declared:
        return list(labels)
    own: dict[object, tuple[Scalar, Scalar]] = {}
    for label in labels:
        found = match_label(label, template.declared)
        if found is None:
            raise SpecError(
                f"template {template.name!r} has no label {label!r}; "
                f"{nearest(label, template.declared)}; rename your labels to the template's"
            )
        if label_key(found) in own:
            raise SpecError(
                f"{own[label_key(found)][1]!r} and {label!r} are both the label {found!r} of "
                f"template {template.name!r}; write them alike"
            )
        own[label_key(found)] = found, label
    return [found for found, _ in own.values()]
