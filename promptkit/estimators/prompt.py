"""Zero-shot and few-shot prompting as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from promptkit.data import from_records, match_label
from promptkit.data.values import is_missing
from promptkit.errors import DataError, SpecError, nearest
from promptkit.prompts import Template, find_template
from promptkit.prompts.yamlfile import YamlFile, validate
from promptkit.runs.build import load_backend, parts_for
from promptkit.runs.spec import EvalSpec
from promptkit.strategies.in_context import InContext
from promptkit.types import Example, Scalar, label_key


class PromptClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Asks a pre-trained model about each row, with demonstrations from the training rows.

    Args:
        template: An in-box name, the path of a YAML file, or a `Template`.
        model: ``minilm``, a folder, or a hub id.
        backend: ``auto``, ``hf``, ``embedding``, ``fake``.
        shots: Demonstrations of a prompt, taken from the rows given to `fit`.
        selector: Who chooses them; class-balanced by default.
        selector_options: Further options of the selector.
        labels: The labels in use; by default those of ``y``, or the template's without ``y``.
        seed: Seed of every random choice.
        batch_size: ``auto`` or sequences of a batch.
        device: Where the model runs.
        dtype: Number format of the model.

    Attributes:
        classes_: (k,) labels, sorted, in the order of the columns of `predict_proba`.
        n_features_in_: Number of the template's fields.

    Rows may be a list or array of texts, a Series, a data frame or a list of mappings that hold
    the template's fields, or an (n, m) array with the fields as columns.

    Example:
        >>> model = PromptClassifier("sentiment_zero_shot", shots=8, selector="nearest")
        >>> model.fit(texts, labels).predict_proba(["Never again."])  # doctest: +SKIP
    """

    def __init__(
        self,
        template: str | Template = "sentiment_zero_shot",
        model: str = "minilm",
        backend: str = "auto",
        shots: int = 0,
        selector: str | None = None,
        selector_options: Mapping[str, Any] | None = None,
        labels: Sequence[Scalar] | None = None,
        seed: int = 0,
        batch_size: int | str = "auto",
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        self.template = template
        self.model = model
        self.backend = backend
        self.shots = shots
        self.selector = selector
        self.selector_options = selector_options
        self.labels = labels
        self.seed = seed
        self.batch_size = batch_size
        self.device = device
        self.dtype = dtype

    def fit(self, X: Any = None, y: Any = None) -> PromptClassifier:
        """Take the label set, and the pool of demonstrations; nothing is trained.

        Args:
            X: (n,) rows, or None for zero-shot prompting.
            y: (n,) labels, or None for zero-shot prompting with the template's own labels.

        Raises:
            SpecError: A label that the template does not have.
            DataError: Rows that cannot be used, or demonstrations asked for and none given.
        """
        template = self._read_template()
        golds = None if y is None else _golds(y)
        rows = [] if X is None else _records(X, template)
        if golds is not None and len(golds) != len(rows):
            raise DataError(f"X has {len(rows)} rows and y has {len(golds)}; they must be as many")
        if self.shots and (not rows or golds is None):
            raise DataError(f"shots={self.shots} needs labelled rows to choose from: fit(X, y)")
        self.classes_ = self._classes(template, golds)
        labels = [_own(label) for label in self.classes_]
        own = _in_template(labels, template)
        self._labels = dict(zip(labels, own, strict=True))
        settled = template if template.choosing else template.with_labels(own)
        pool = []
        if golds is not None:
            pool = [
                Example(row.id, row.fields, self._labels[_own(gold)])
                for row, gold in zip(_rows(rows, template), golds, strict=True)
                if _own(gold) in self._labels
            ]
        if self.shots and not pool:
            raise DataError(f"shots={self.shots}: no row of y has one of the labels {labels}")
        asked = self._asked()
        name, options, selector, verbalizer = parts_for(asked, settled, self.shots, bool(pool))
        self.n_features_in_ = len(template.task.fields)
        self.strategy_ = InContext(
            settled, load_backend(name, options), selector, verbalizer, self.shots
        ).fit(pool)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """(n, k) probabilities in the order of ``classes_``.

        Raises:
            DataError: A row could not be scored; a probability is never made up.
        """
        check_is_fitted(self, "strategy_")
        template = self.strategy_.template
        rows = _rows(_records(X, template), template)
        if not rows:
            return np.empty((0, len(self.classes_)))
        predictions = self.strategy_.predict(rows)
        for row, prediction in zip(rows, predictions, strict=True):
            if prediction.log_p is None:
                raise DataError(f"row {row.id!r} cannot be scored: {prediction.problem}")
        log_p = np.array([prediction.log_p for prediction in predictions], np.float64)
        proba: NDArray[np.float64] = np.exp(log_p)
        return proba

    def predict(self, X: Any) -> NDArray[Any]:
        """(n,) the most probable label of each row."""
        proba = self.predict_proba(X)  # first, for it checks that there are classes
        predicted: NDArray[Any] = self.classes_[proba.argmax(axis=1)]
        return predicted

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.target_tags.required = False  # zero-shot prompting takes the template's labels
        tags.no_validation = True
        return tags

    def _classes(self, template: Template, golds: NDArray[Any] | None) -> NDArray[Any]:
        if template.choosing:
            raise SpecError(
                f"template {template.name!r}: rows with their own choices have no classes; "
                "use 'promptkit eval'"
            )
        if self.labels is not None:
            return _sorted(np.asarray(list(self.labels)), "labels=")
        if golds is not None:
            return _sorted(golds, "y")
        if template.open:
            raise SpecError(f"template {template.name!r} leaves its labels open: give labels= or y")
        return _sorted(np.asarray(list(template.task.labels)), "the template")

    def _read_template(self) -> Template:
        return (
            self.template if isinstance(self.template, Template) else find_template(self.template)
        )

    def _asked(self) -> EvalSpec:
        name = self.template.name if isinstance(self.template, Template) else self.template
        options = {
            "template": name,
            "model": self.model,
            "backend": self.backend,
            "shots": self.shots,
            "selector": self.selector,
            "selector_options": dict(self.selector_options or {}),
            "seed": self.seed,
            "batch_size": self.batch_size,
            "device": self.device,
            "dtype": self.dtype,
        }
        return validate(EvalSpec, YamlFile("PromptClassifier", options))


def _own(label: Any) -> Scalar:
    """A numpy scalar as the plain value that it holds."""
    value: Scalar = label.item() if isinstance(label, np.generic) else label
    return value


def _golds(y: Any) -> NDArray[Any]:
    """(n,) labels; a column of them, as a data frame with one column gives it, is laid flat."""
    golds = np.asarray(y)
    if golds.ndim == 2 and golds.shape[1] == 1:
        golds = golds[:, 0]
    if golds.ndim != 1:
        raise DataError(f"y has the shape {golds.shape}; it must hold one label a row")
    for number, gold in enumerate(golds.tolist(), start=1):
        if is_missing(gold):
            raise DataError(f"y row {number}: no label ({gold!r}); leave such rows out")
    return golds


def _sorted(labels: NDArray[Any], where: str) -> NDArray[Any]:
    """The different labels in order."""
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


def _in_template(labels: Sequence[Scalar], template: Template) -> list[Scalar]:
    """The template's own label for each of these; an open template takes them as they are."""
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


def _records(X: Any, template: Template) -> list[dict[str, Any]]:
    """Rows as mappings from field to value, whatever they came as."""
    fields = template.task.fields
    if hasattr(X, "to_dict") and hasattr(X, "columns"):
        return [dict(row) for row in X.to_dict("records")]
    if isinstance(X, str | Mapping):
        raise DataError(f"X is one {type(X).__name__}; give a list of rows")
    rows = list(X.tolist() if hasattr(X, "tolist") else X)
    return [_record(row, fields, number) for number, row in enumerate(rows, start=1)]


def _record(row: Any, fields: Sequence[str], number: int) -> dict[str, Any]:
    if isinstance(row, Mapping):
        return dict(row)
    values = [row] if isinstance(row, str) or not isinstance(row, Sequence) else list(row)
    if len(values) != len(fields):
        raise DataError(
            f"X row {number}: {len(values)} values for the fields {', '.join(fields)}; give a data "
            "frame or mappings with these names"
        )
    return dict(zip(fields, values, strict=True))


def _rows(records: Sequence[Mapping[str, Any]], template: Template) -> tuple[Example, ...]:
    """Checked rows. Their ids are hashes of what they say, so that draws follow the row."""
    if not records:
        return ()
    kept = [{name: row[name] for name in template.task.fields if name in row} for row in records]
    loaded = from_records(
        kept, name="X", fields=template.task.fields, require_labels=False, id_field="id"
    )
    return loaded.examples
