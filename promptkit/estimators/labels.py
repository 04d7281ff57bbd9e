"""Labels for scikit-learn estimators: y laid flat and checked, classes in order."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promptkit.data import match_label
from promptkit.data.values import is_missing
from promptkit.errors import DataError, SpecError, nearest
from promptkit.prompts import Template
from promptkit.types import Scalar, label_key

_SEVERAL = (
    "it must hold one label a row; for several labels a row, or for several questions, wrap the "
    "estimator: OneVsRestClassifier(model) or MultiOutputClassifier(model)"
)


def plain_label(label: Any) -> Scalar:
    """A numpy scalar as the plain value that it holds."""
    value: Scalar = label.item() if isinstance(label, np.generic) else label
    return value


def golds_of(y: Any, *, warn: bool = False, where: str = "y") -> NDArray[Any]:
    """(n,) labels; a column of them, as a data frame with one column gives it, is laid flat.

    Args:
        y: A list, an array, a Series of pandas, polars or pyarrow, categorical or not, or a frame
            of one column.
        warn: Whether a column gives scikit-learn's `DataConversionWarning`.
        where: What messages call them.

    Raises:
        DataError: Several columns, a missing or infinite label, or labels of types that have no
            common order.
    """
    if y is None:
        raise DataError("requires y to be passed, but the target y is None: give (n,) labels")
    golds = _array(y)
    if golds.ndim == 2 and golds.shape[1] == 1:
        if warn:
            from sklearn.exceptions import DataConversionWarning

            warnings.warn(
                "A column-vector y was passed when a 1d array was expected. Please change the "
                "shape of y to (n_samples,), for example using ravel().",
                DataConversionWarning,
                stacklevel=4,  # the caller of fit
            )
        golds = golds[:, 0]
    if golds.ndim != 1:
        raise DataError(f"y should be a 1d array: y has the shape {golds.shape}; {_SEVERAL}")
    for number, gold in enumerate(golds.tolist(), start=1):
        _check_gold(gold, f"{where} row {number}")
    return _as_one_type(golds, where, texts_stay=hasattr(y, "dtype"))


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
        raise _mixed(where, {type(label).__name__ for label in labels}) from error


def check_classes(golds: NDArray[Any], classes: NDArray[Any]) -> None:
    """Refuse numbers that are measured, not names: a classifier would make a class of each.

    Raises:
        DataError: Numbers with fractions, most of which occur once.
    """
    fractions = classes.dtype.kind == "f" and bool((classes != np.floor(classes)).any())
    if fractions and len(classes) > len(golds) / 2:
        raise DataError(
            f"Unknown label type: continuous. y holds {len(classes)} different numbers with "
            f"fractions in {len(golds)} rows, which look measured; if they name classes, write "
            "them as text"
        )


def labels_in_template(
    labels: Sequence[Scalar], template: Template, names: Mapping[Scalar, Scalar] | None = None
) -> list[Scalar]:
    """The template's own label for each of these; an open template takes them as they are.

    Args:
        labels: As they are in y.
        template: The template.
        names: What labels that are only numbers stand for.

    Raises:
        SpecError: A label that the template does not have, or two that are one to it.
    """
    called = _called(labels, names or {})
    if not template.declared:
        return called
    own: dict[object, tuple[Scalar, Scalar]] = {}
    for label, name in zip(labels, called, strict=True):
        found = match_label(name, template.declared)
        if found is None:
            raise SpecError(
                f"template {template.name!r} has no label {name!r}; "
                f"{nearest(name, template.declared)}; {_remedy(label, template)}"
            )
        if label_key(found) in own:
            raise SpecError(
                f"{own[label_key(found)][1]!r} and {label!r} are both the label {found!r} of "
                f"template {template.name!r}; write them alike"
            )
        own[label_key(found)] = found, label
    return [found for found, _ in own.values()]


def _called(labels: Sequence[Scalar], names: Mapping[Scalar, Scalar]) -> list[Scalar]:
    """What labels stand for; those that come by name stand for themselves.

    Raises:
        SpecError: A number that has no name, where others have.
    """
    known = {label_key(label): name for label, name in names.items()}
    found = [known.get(label_key(label)) for label in labels]
    for label, name in zip(labels, found, strict=True):
        number = isinstance(label, int) and not isinstance(label, bool)
        if known and name is None and (number or any(one is not None for one in found)):
            raise SpecError(
                f"label_names has no name for the label {label!r} of y; it names "
                f"{', '.join(map(repr, names))}"
            )
    return [label if name is None else name for label, name in zip(labels, found, strict=True)]


def _remedy(label: Scalar, template: Template) -> str:
    remedy = "rename your labels to the template's"
    if isinstance(label, int):
        names = sorted(map(str, template.declared))
        remedy += (
            "; or, where scikit-learn numbered them (VotingClassifier, StackingClassifier, "
            f"cross_val_predict), say what 0, 1, ... stand for, as label_names={names}"
        )
    return remedy


def _array(y: Any) -> NDArray[Any]:
    """The labels as an array, without making labels of one type what they are not."""
    if hasattr(y, "nnz") and hasattr(y, "toarray"):
        raise DataError(f"y is a sparse matrix; {_SEVERAL}")
    if isinstance(y, str | bytes | Mapping):
        raise DataError(f"y is one {type(y).__name__}; give a list of labels")
    if hasattr(y, "column_names"):  # a table of pyarrow or datasets
        y = [list(row) for row in zip(*(y[name] for name in y.column_names), strict=True)]
    for method in ("to_pylist", "to_list"):  # pyarrow, polars and pandas: nulls stay nulls
        if hasattr(y, method) and not isinstance(y, np.ndarray):
            return _objects(getattr(y, method)())
    if hasattr(y, "__array__"):
        return np.asarray(y)
    try:
        return _objects(list(y))
    except TypeError as error:
        raise DataError(f"y is a {type(y).__name__}; give a list of labels") from error


def _objects(values: list[Any]) -> NDArray[Any]:
    """A list as an array of objects; a list of equally long lists has two dimensions."""
    if any(isinstance(value, list | tuple | set | frozenset | np.ndarray) for value in values):
        lengths = {np.size(value) if not isinstance(value, set) else -1 for value in values}
        if len(lengths) > 1 or lengths <= {-1}:
            raise DataError(f"y should be a 1d array: its rows are lists; {_SEVERAL}")
        return np.array([list(value) for value in values], dtype=object)
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _check_gold(gold: Any, place: str) -> None:
    if is_missing(gold):
        raise DataError(f"Input y contains NaN: {place}: no label ({gold!r}); leave such rows out")
    if isinstance(gold, float) and math.isinf(gold):
        raise DataError(
            "Input y contains infinity or a value too large for dtype('float64'). "
            f"{place} is {gold}"
        )
    if isinstance(gold, complex):
        raise DataError(f"Complex data not supported: {place} is complex; give labels")
    if not isinstance(gold, str | bool | int | float | np.generic):
        raise DataError(
            f"Unknown label type: {place} is a {type(gold).__name__}; a label is text, a "
            "number, true or false"
        )


def _as_one_type(golds: NDArray[Any], where: str, *, texts_stay: bool) -> NDArray[Any]:
    """Objects of one type as an array of that type.

    numpy would write 1 as "1" beside texts, and True as 1 beside numbers, and ask nobody.
    """
    if golds.dtype != object:
        return golds
    plain = [plain_label(gold) for gold in golds]
    kinds = {type(gold) for gold in plain}
    if len(kinds) > 1 and kinds != {int, float}:
        raise _mixed(where, {kind.__name__ for kind in kinds})
    # texts of an array or a Series stay objects, as scikit-learn leaves them
    return golds if texts_stay and kinds <= {str} else np.array(plain)


def _mixed(where: str, kinds: set[str]) -> DataError:
    return DataError(
        f"{where} mixes labels of the types {' and '.join(sorted(kinds))}, which have no order; "
        "use one type"
    )
